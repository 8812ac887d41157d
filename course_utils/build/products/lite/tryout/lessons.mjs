// Runs lessons in Pyodide under Node: node lessons.mjs <job>; one JSON line a lesson to stdout.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const { loadPyodide } = await import(pathToFileURL(`${job.pyodide}/pyodide.mjs`).href);
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const begin = performance.now();
const python = await loadPyodide({
  indexURL: job.pyodide,
  packages: job.packages,
  env: job.environment,
  stdout: () => {},
  stderr: (text) => process.stderr.write(text + "\n"),
});
const { FS } = python;
for (const [inside, outside] of [[job.tables.inside, job.tables.outside], ["/lessons", job.lessons]]) {
  FS.mkdirTree(inside);
  FS.mount(FS.filesystems.NODEFS, { root: outside }, inside);
}
await python.runPythonAsync(await readFile(job.driver, "utf8"));
const run = python.globals.get("run");
say({ ready: (performance.now() - begin) / 1000 });
for (const lesson of job.order) {
  try {
    const answer = JSON.parse(run(`/lessons/${lesson}.json`));
    say({ lesson, heap: python._module.HEAPU8.length, ...answer });
  } catch (error) {
    say({ lesson, dead: String(error).slice(-2000) });
    break;
  }
}
process.exit(0);
