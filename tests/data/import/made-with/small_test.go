package small

import (
	"fmt"
	"strings"
	"testing"
)

var sink string

func BenchmarkRepeat(b *testing.B) {
	for _, size := range []int{16, 256} {
		b.Run(fmt.Sprintf("size=%d/kind=ascii", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for i := 0; i < b.N; i++ {
				sink = strings.Repeat("x", size)
			}
		})
	}
}

func BenchmarkFrames(b *testing.B) {
	for i := 0; i < b.N; i++ {
		sink = strings.ToUpper("abc")
	}
	b.ReportMetric(12.5, "frames/s")
	b.ReportMetric(900, "p99-ns")
	b.ReportMetric(3, "colors")
}

func BenchmarkSkipped(b *testing.B) {
	b.Skip("not here")
}
