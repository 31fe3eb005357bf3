// A table that scrolls sideways can be reached, and so scrolled, with the keyboard. The theme wraps
// tables when the page is there, and does the same for code by itself.
document$.subscribe(() =>
  setTimeout(() => {
    for (const region of document.querySelectorAll(".md-typeset__scrollwrap")) region.tabIndex = 0
  })
)
