// What the JSON Schema of the case file says of a value: its shapes, its choices.

/** The schemas that a value may follow: references followed, unions opened, "nothing" left out. */
export function shapes(node, root) {
  if (node.$ref) return shapes(root.$defs[node.$ref.split("/").pop()], root);
  const union = node.anyOf ?? node.oneOf;
  if (union) return union.flatMap((branch) => shapes(branch, root));
  return node.type === "null" ? [] : [node];
}

/** Of several shapes, the one that a value has, or would have: by its kind, else by its keys. */
export function shapeOf(all, value) {
  const sections = all.filter((one) => one.properties);
  if (Array.isArray(value)) return all.find((one) => one.type === "array") ?? {};
  if (typeof value !== "object" || value === null) return null;
  const ofKind = sections.find((one) => value.kind !== undefined && one.properties.kind?.const === value.kind);
  if (ofKind) return ofKind;
  const shared = (one) => Object.keys(value).filter((key) => key in one.properties).length;
  const best = [...sections].sort((a, b) => shared(b) - shared(a))[0];
  if (best && (shared(best) || !all.some((one) => one.additionalProperties))) return best;
  return all.find((one) => one.type === "object" && !one.properties) ?? best ?? {};
}

/** The values among which one is chosen; null where a text is free. */
export function choices(all) {
  const found = new Set();
  for (const one of all) {
    if (one.type === "boolean") ["true", "false"].forEach((word) => found.add(word));
    else if (one.const !== undefined) found.add(String(one.const));
    else if (one.enum) one.enum.forEach((word) => found.add(String(word)));
    else if (["string", "number", "integer"].includes(one.type) || !one.type) return null;
  }
  return found.size ? [...found] : null;
}

/** Whether shapes have one that a single input can hold. */
export function isSimple(all) {
  return all.some((one) => ["string", "number", "integer", "boolean"].includes(one.type) || one.const !== undefined || one.enum);
}

/** An example of a value, such as "1 mm". */
export function example(all, given) {
  if (given.default !== undefined && given.default !== null && typeof given.default !== "object" && given.default !== "") {
    return `${given.default} (default)`;
  }
  for (const one of all) {
    if (one.examples?.length) return `e.g. ${one.examples[0]}`;
  }
  return "";
}

/** The first sentence of a section's description. */
export function sentence(section) {
  return (section.description ?? "").split("\n\n")[0].replaceAll("\n", " ");
}

/** What to send for the text in an input: an action and a value. */
export function meant(text, all) {
  const types = new Set(all.map((one) => one.type));
  if (text === "") return { action: "remove", value: null };
  if (/^[[{]/.test(text)) return { action: "expression", value: text };
  if (types.has("boolean") && /^(true|false)$/.test(text)) return { action: "set", value: text === "true" };
  const number = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text);
  if (number && (types.has("number") || types.has("integer"))) return { action: "set", value: Number(text) };
  if (number && all.some((one) => typeof one.const === "number")) return { action: "set", value: Number(text) };
  return { action: "set", value: text };
}

/** A value as TOML in one line, as far as an input can show it. */
export function asToml(value) {
  if (Array.isArray(value)) return `[${value.map(asToml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value).map(([key, inner]) => `${bare(key)} = ${asToml(inner)}`).join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function bare(key) {
  return /^[\w-]+$/.test(key) && /^[\x00-\x7f]+$/.test(key) ? key : JSON.stringify(key);
}
