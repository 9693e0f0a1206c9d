// Prism in front of a service: what breaks the vendor's description is refused, both ways.
// node prism.cjs SPEC UPSTREAM [SPEC UPSTREAM ...] prints a line with each address, then serves.
const { createLogger } = require("@stoplight/prism-core");
const { getHttpOperationsFromSpec } = require("@stoplight/prism-http");
const { createServer } = require("@stoplight/prism-http-server");

const logger = createLogger("prism", { level: "error" }, process.stderr);

async function serve(spec, upstream) {
  const config = {
    isProxy: true, upstream: new URL(upstream), upstreamProxy: undefined, errors: true,
    checkSecurity: false, validateRequest: true, validateResponse: true, mock: { dynamic: false },
  };
  const operations = await getHttpOperationsFromSpec(spec);
  const server = createServer(operations, { cors: false, config, components: { logger } });
  console.log(await server.listen(0, "127.0.0.1"));
}

async function main([spec, upstream, ...rest]) {
  await serve(spec, upstream);
  if (rest.length) await main(rest);
}

main(process.argv.slice(2));
