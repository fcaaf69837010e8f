"use strict";
// Two pictures one over the other: the selects choose them, the range input moves the edge between them.
const slider = document.querySelector(".slider");
if (slider) {
  const pictures = [...document.querySelectorAll(".gallery img")];
  const [under, over] = slider.querySelectorAll("img");
  const [left, right] = document.querySelectorAll(".choose select");
  const edge = slider.querySelector("input");

  const cut = () => {
    slider.style.setProperty("--cut", edge.value + "%");
    edge.setAttribute("aria-valuetext", edge.value + "% " + left.selectedOptions[0].text);
  };
  const choose = () => {
    for (const [image, select] of [[under, left], [over, right]]) {
      image.src = pictures[select.value].src;
      image.alt = pictures[select.value].alt;
    }
    cut();
  };
  edge.addEventListener("input", cut);
  left.addEventListener("change", choose);
  right.addEventListener("change", choose);
  choose();
}
