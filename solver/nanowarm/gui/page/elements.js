// Elements made of text: nothing that a file says is ever read as HTML.

/** A new element. Attributes that are functions listen to the event of that name; those that are null are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  fill(made, attributes);
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

/** A new element of a drawing. */
export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  fill(made, attributes);
  made.append(...children.flat());
  return made;
}

function fill(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
}

/** Text of a user, which may run from right to left. */
export function quoted(text, attributes = {}) {
  return element("bdi", attributes, text);
}

/** What a person chooses in a dialog: the value of the button pressed, and the fields; "" if it was closed. */
export function asked(title, content, buttons) {
  return new Promise((resolve) => {
    const form = element("form", { method: "dialog" }, element("h2", {}, title), ...content);
    const row = element("div", { class: "row end" });
    for (const [value, text, kind] of buttons) {
      const typed = value === "" ? { type: "button", click: () => dialog.close("") } : { type: "submit" };
      row.append(element("button", { value, class: kind ?? null, ...typed }, text));
    }
    form.append(row);
    const dialog = element("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      const fields = Object.fromEntries(new FormData(form));
      dialog.remove();
      resolve({ choice: dialog.returnValue, fields });
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
