"use strict";
(() => {
  // A slider over the stored risk curve: every chance was written by the library, nothing is computed here.
  const held = document.getElementById("curve-data");
  if (held) {
    const curve = JSON.parse(held.textContent);
    const form = document.getElementById("try");
    const input = document.getElementById("count");
    const said = document.getElementById("said");
    const marker = document.getElementById("marker");
    const number = new Intl.NumberFormat("en");
    const licences = (n) => `${number.format(n)} ${n === 1 ? "licence" : "licences"}`;
    const show = () => {
      const at = Number(input.value);
      const count = curve.counts[at];
      const parts = curve.horizons.map((days, k) => `${curve.chances[k][at]} within ${days}`);
      const last = parts.pop();
      const chances = parts.length ? `${parts.join(", ")} and ${last}` : last;
      const more = count - curve.now;
      const than = more === 0 ? "as many as today" : `${number.format(Math.abs(more))} ${more > 0 ? "more" : "fewer"} than today`;
      said.textContent = `${curve.headlines[at]} With ${licences(count)} (${than}) the chance of exceeding them is ${chances}.`;
      input.setAttribute("aria-valuetext", said.textContent);
      const x = curve.left + curve.scale * (count - curve.counts[0]);
      marker.setAttribute("x1", x);
      marker.setAttribute("x2", x);
    };
    input.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    show();
  }

  // For sorting: a day, a number where a cell begins with one, text otherwise; a name is text unless it is a number.
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    if (/^\d{1,2} [A-Z][a-z]{2} \d{4}$/.test(text)) return Date.parse(`${text} UTC`);
    if (column === 0 && !/^[\d,]+$/.test(text)) return text;
    const found = text.replace(/,/g, "").match(/^[^\d+\-−]{0,12}([+\-−]?\d+(?:\.\d+)?)/);
    if (/^under /.test(text)) return -1;
    if (/^over /.test(text)) return 1e12;
    return found ? Number(found[1].replace("−", "-")) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const copied = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.title = "Sort by this column";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => (up ? 1 : -1) * compare(value(a, column), value(b, column)));
        table.tBodies[0].append(...rows);
      });
    });
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy as CSV";
    copy.addEventListener("click", async () => {
      const text = [...table.rows].map((row) => [...row.cells].map((c) => cell(c.textContent.trim())).join(",")).join("\r\n");
      let done = false;
      try {
        await navigator.clipboard.writeText(text);
        done = true;
      } catch {
        done = copied(text);
      }
      copy.textContent = done ? "Copied" : "Could not copy";
    });
    table.parentElement.after(copy);
  }
})();
