// What scrolls sideways can be reached, and so scrolled, with the keyboard; the search has a name.
// The theme wraps tables when the page is there, and makes code reachable where a mouse can hover.
document$.subscribe(() =>
  setTimeout(() => {
    for (const region of document.querySelectorAll(".md-typeset__scrollwrap, pre > code"))
      region.tabIndex = 0
    document.querySelector(".md-search").ariaLabel = "Search"
  })
)
