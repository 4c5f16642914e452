import { bench, describe } from 'vitest'

describe('sort', () => {
  bench('numbers', () => { [3, 1, 2].sort() }, { time: 5, iterations: 5, warmupTime: 1, warmupIterations: 1 })
  bench('text', () => { ['c', 'a', 'b'].sort() }, { time: 5, iterations: 5, warmupTime: 1, warmupIterations: 1 })
  describe('inner', () => {
    bench.skip('skipped', () => {})
    bench('fails', () => { throw new Error('no') }, { time: 5, iterations: 2 })
  })
})
bench('at the top', () => { JSON.stringify({ a: 1 }) }, { time: 5, iterations: 5 })
