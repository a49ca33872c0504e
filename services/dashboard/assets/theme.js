// Runs before the first paint, so that a chosen theme does not flash up as the other one. A theme is "", the system's,
// "light" or "dark".
document.documentElement.dataset.theme = localStorage.getItem('tandem-theme') ?? '';
