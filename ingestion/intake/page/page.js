// Shows openapi.json for people and lets them send a request. Everything comes from this server; text is set as text,
// never as markup, because answers repeat what was sent.
"use strict";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child != null));
  return element;
};

const named = (api, schema) => (schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);
const nameOf = (schema) => schema?.$ref?.split("/").pop();

const rule = (schema) => {
  if (schema.$ref) return nameOf(schema);
  if (schema.anyOf) return schema.anyOf.map(rule).join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `list of ${rule(schema.items)}`;
  const limits = [
    schema.minLength !== undefined ? `${schema.minLength}–${schema.maxLength} characters` : null,
    schema.minimum !== undefined ? `${schema.minimum} to ${schema.maximum}` : null,
  ];
  return [schema.format ?? schema.type ?? "any", ...limits.filter(Boolean)].join(", ");
};

const table = (heads, rows) => make("div", { className: "scroll" }, make("table", {},
  make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
  make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell)))))));

const fields = (schema) => table(["field", "rule", "if absent", ""], Object.entries(schema.properties).map(
  ([name, field]) => [
    make("code", {}, name),
    rule(field),
    schema.required?.includes(name) ? "refused" : String(field.default ?? ""),
    field.description ?? "",
  ]));

const form = (api, path, method, operation) => {
  const body = operation.requestBody?.content["application/json"].schema;
  const sent = named(api, body?.items ?? body)?.example;
  const text = body && make("textarea", {
    spellcheck: false, value: JSON.stringify(body.items ? [sent] : sent, null, 2), id: `body ${path}`,
  });
  const key = operation.security && make("input", { autocomplete: "off", id: `key ${path}` });
  const answer = make("pre", { hidden: true, ariaLive: "polite" });
  const send = async (event) => {
    event.preventDefault();
    answer.hidden = false;
    answer.textContent = "…";
    const headers = { ...(text && { "Content-Type": "application/json" }), ...(key && { "X-API-Key": key.value }) };
    try {
      const response = await fetch(path.slice(1), { method: method.toUpperCase(), headers, body: text?.value });
      const content = await response.text();
      let shown = content;
      try { shown = JSON.stringify(JSON.parse(content), null, 2); } catch { /* shown as it came */ }
      answer.textContent = `${response.status} ${response.statusText}\n${shown}`;
    } catch (error) {
      answer.textContent = `No answer: ${error.message}`;
    }
  };
  return make("form", { onsubmit: send },
    make("h3", {}, "Try it"),
    key && make("label", { htmlFor: key.id }, "X-API-Key"), key || null,
    text && make("label", { htmlFor: text.id }, "Body (JSON); what is taken is really stored"), text || null,
    make("button", {}, "Send"), answer);
};

const operationSection = (api, path, method, operation) => make("section", {},
  make("h2", {}, make("span", { className: "method" }, method.toUpperCase()), " ", make("code", {}, path), ` ${operation.summary}`),
  operation.description ? make("p", {}, operation.description) : null,
  make("h3", {}, "Answers"),
  table(["status", "", "content"], Object.entries(operation.responses).map(([status, response]) => [
    status, response.description, nameOf(response.content?.["application/json"]?.schema) ?? "",
  ])),
  form(api, path, method, operation));

const show = (api) => {
  document.title = api.info.title;
  document.getElementById("document").replaceChildren(
    make("h1", {}, api.info.title),
    make("p", {}, api.info.description),
    make("p", {}, "For programs: ", make("a", { href: "openapi.json" }, "openapi.json")),
    ...Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => operationSection(api, path, method, operation))),
    ...Object.entries(api.components.schemas).filter(([, schema]) => schema.properties).map(([name, schema]) =>
      make("section", {}, make("h2", {}, name), schema.description ? make("p", {}, schema.description) : null, fields(schema))));
};

fetch("openapi.json").then((response) => response.json()).then(show, (error) => {
  document.getElementById("document").textContent = `The description cannot be shown: ${error.message}`;
});
