// Runs before the first paint, so that the wrong theme never flashes. A theme is "" (the system's), "light" or "dark".
document.documentElement.dataset.theme = localStorage.getItem('tandem-theme') ?? '';
