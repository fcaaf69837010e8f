// Tell screen readers whether a fold is open.
() => {
  const update = () => document.querySelectorAll("button.label-wrap").forEach(
    (fold) => fold.setAttribute("aria-expanded", fold.classList.contains("open")));
  new MutationObserver(update).observe(document.body,
    {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});
  update();
}
