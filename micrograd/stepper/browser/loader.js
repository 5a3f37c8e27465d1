// Unfold the page's script, which is packed to a third, and run it; the page's policy knows its text.
(async () => {
  const packed = document.getElementById("code").textContent.trim();
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const unfolded = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unfolded).text();
  document.body.append(script);
})().catch(error => {
  document.getElementById("heading").textContent =
    `This page needs a browser of 2023 or later. 此页面需要 2023 年或更新的浏览器。 (${error.message})`;
});
