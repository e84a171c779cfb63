// Requests on standard input, replies on standard output, one JSON object a line; see ../peer.py.

const { createInterface } = require("node:readline");

/** Answer by this function until the input ends. What fails outside of an operation is told, and not the end. */
exports.serve = (peer) => {
  process.on("uncaughtException", (error) => console.error("uncaught:", error));
  process.on("unhandledRejection", (error) => console.error("unhandled:", error));
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { id, ...request } = JSON.parse(line);
    let reply;
    try {
      reply = { id, value: (await peer(request)) ?? null };
    } catch (error) {
      reply = { id, error: String(error?.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  });
  lines.on("close", () => process.exit(0));
};
