// @ts-check
// Runs before the first paint, so that a dark page does not flash white. Not a module: modules run
// after the document was parsed.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden: the system's theme is used.
  }
})();
