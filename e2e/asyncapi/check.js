// Called by check.sh.
const { Parser } = require("@asyncapi/parser");
const { readFileSync } = require("fs");

const ERROR = 0, WARNING = 1;

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const found = diagnostics.filter((d) => d.severity <= WARNING);
  for (const d of found) console.log(`${d.severity === ERROR ? "error" : "warning"}: ${d.path.join("/")}: ${d.message}`);
  if (!document) console.log("error: no document");
  else console.log(`${document.channels().length} channels, ${document.operations().length} operations`);
  process.exit(found.length > 0 || !document ? 1 : 0);
});
