// Small edits of a recipe's TOML text that keep everything else, comments included, as it is.

const string = (text) => JSON.stringify(text).replace(/\u007f/g, "\\u007f");
const bare = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : string(name));

// The first line after those of a text in three quotes, so that a "[" inside it is no table.
function tables(lines) {
  const found = [];
  let fence = null;
  lines.forEach((line, at) => {
    if (!fence && /^\s*\[/.test(line)) found.push({ at, name: line.trim().replace(/\s*#.*$/, "") });
    for (const [mark] of line.matchAll(/"""|'''/g)) fence = fence === mark ? null : fence ?? mark;
  });
  return found;
}

/** The lines [from, to) of a table such as `[quota]`, without comments that belong to the next one; null if absent. */
function tableLines(lines, name) {
  const all = tables(lines);
  const at = all.findIndex((each) => each.name.replace(/\s/g, "") === `[${name}]`);
  if (at < 0) return null;
  let to = all[at + 1]?.at ?? lines.length;
  if (to < lines.length) while (to > all[at].at + 1 && /^\s*#/.test(lines[to - 1])) to -= 1;
  while (to > all[at].at + 1 && !lines[to - 1].trim()) to -= 1;
  return [all[at].at, to];
}

function replaceTable(toml, name, body) {
  const lines = toml.split("\n");
  const place = tableLines(lines, name);
  if (place) lines.splice(place[0], place[1] - place[0], `[${name}]`, ...body);
  else lines.push(...(lines.at(-1)?.trim() ? [""] : []), `[${name}]`, ...body, "");
  return lines.join("\n");
}

/** The recipe with so many rows in all, in equal shares or, with `quotas`, exactly so many of each category. */
export function withQuotas(toml, rows, quotas = null) {
  const weights = quotas && Object.entries(quotas).map(([name, quota]) => `${bare(name)} = ${quota}`);
  return replaceTable(toml, "quota", [`rows = ${rows}`, ...(weights ? [`weights = { ${weights.join(", ")} }`] : [])]);
}

/** The recipe with a key of a field set; `value` is a text, a number or a list of texts. */
export function withFieldKey(toml, field, key, value) {
  const lines = toml.split("\n");
  const written = `${key} = ${Array.isArray(value) ? `[${value.map(string).join(", ")}]` : typeof value === "number" ? value : string(value)}`;
  const place = tableLines(lines, `fields.${bare(field)}`) ?? tableLines(lines, `fields.${string(field)}`);
  if (!place) {
    lines.push(...(lines.at(-1)?.trim() ? [""] : []), `[fields.${bare(field)}]`, written, "");
    return { toml: lines.join("\n"), line: lines.length - 1 };
  }
  const pattern = new RegExp(`^\\s*${key}\\s*=`);
  for (let at = place[0] + 1; at < place[1]; at += 1) {
    if (pattern.test(lines[at])) {
      // A list on one line gets one more text; anything else is replaced.
      const list = Array.isArray(value) && /^(\s*\w+\s*=\s*\[)(.*?),?\s*\]\s*$/.exec(lines[at]);
      lines[at] = list?.[2].trim() ? `${list[1]}${list[2]}, ${value.map(string).join(", ")}]` : written;
      return { toml: lines.join("\n"), line: at + 1 };
    }
  }
  lines.splice(place[1], 0, written);
  return { toml: lines.join("\n"), line: place[1] + 1 };
}

/** The line that a problem names (from 1), by its own key or in its words `recipe.toml:12: ...`; null if none. */
export function problemLines(problem) {
  const told = problem.errors.filter((each) => each.message ?? each.detail ?? each.msg)
    .map((each) => ({ line: Number(each.line) || lineIn(each.where ?? each.message), message: (each.key ? `${each.key}: ` : "") + (each.message ?? each.detail ?? each.msg), hint: each.hint ?? "" }));
  if (told.length) return told;
  return problem.message.split("\n").filter((line) => line.trim())
    .map((line) => ({ line: lineIn(line), message: line.replace(/^\S*:\d+: /, "").trim(), hint: "" }));
}
const lineIn = (text) => Number(/:(\d+)(?::|$)/.exec(text ?? "")?.[1]) || null;
