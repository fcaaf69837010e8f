// A fold says whether it is open to those who do not see its arrow.
() => {
  const tell = () => document.querySelectorAll("button.label-wrap").forEach(
    (fold) => fold.setAttribute("aria-expanded", fold.classList.contains("open")));
  new MutationObserver(tell).observe(document.body,
    {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});
  tell();
}
