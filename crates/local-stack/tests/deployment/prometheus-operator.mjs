// Judges objects of the Prometheus operator by the schemas of its custom resources.
//
// node prometheus-operator.mjs MODULES reads a list of objects as JSON from standard input and prints a list of what is
// wrong with them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const models = join(process.argv[2], "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1");
const wrong = [];
for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  const { [object.kind]: Model } = await import(pathToFileURL(join(models, `${object.kind}.js`)));
  try {
    new Model(object).validate();
  } catch (error) {
    wrong.push(`${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}
process.stdout.write(JSON.stringify(wrong));
