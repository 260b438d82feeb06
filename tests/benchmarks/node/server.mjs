// @libsql/client on a server, as its README shows it, timed in its own process.
// Reads one JSON object from stdin (see servers.py), prints one JSON line: the rates of its rows, in their order.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createClient } from "@libsql/client";

const task = JSON.parse(readFileSync(0, "utf8"));
const client = createClient({ url: task.url });

const now = () => new Date().toISOString();

const contentHash = (content) =>
  createHash("sha256")
    .update(content.normalize("NFC").trim().toLowerCase().replace(/\s+/g, " ").replace(/[.,;:!?]+$/, ""))
    .digest("hex");

const append = (number) =>
  client.execute({
    sql: task.append,
    args: [task.session_id, "tool_invocation", JSON.stringify({ ...task.data, n: number }), now()],
  });

const rememberAll = (contents) =>
  client.batch(
    contents.map((content) => ({
      sql: task.remember,
      args: [content, contentHash(content), "fact", "user_explicit", now()],
    })),
    "write",
  );

const get = (number) => client.execute({ sql: task.get, args: [number] });

const inTurn = async (run, numbers) => {
  for (const number of numbers) await run(number);
};
const atOnce = (run, numbers) => Promise.all(numbers.map(run));
const count = (n, first = 0) => Array.from({ length: n }, (_, index) => first + index);

const rates = [];
const timed = async (n, work) => {
  const started = process.hrtime.bigint();
  await work();
  rates.push(n / (Number(process.hrtime.bigint() - started) / 1e9));
};

// Enough that V8 has compiled the code.
await inTurn(append, count(task.n_warm));
await timed(task.one_by_one, () => inTurn(append, count(task.one_by_one)));
await timed(task.at_once, () => atOnce(append, count(task.at_once)));
await timed(task.facts.length, () => rememberAll(task.facts));
await inTurn(get, count(task.n_warm, 1));
await timed(task.one_by_one, () => inTurn(get, count(task.one_by_one, 1)));
await timed(task.at_once, () => atOnce(get, count(task.at_once, 1)));
console.log(JSON.stringify(rates));
client.close();
