"""What runs in the browser: the page's markup, styles and scripts, one idea each."""
