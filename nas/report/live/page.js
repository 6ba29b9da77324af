// Asks for the version of the run every few seconds, and loads the page again when it has changed.
const line = $("live"), note = line.textContent;
async function changed() {
  try {
    const answer = await fetch("version");
    line.textContent = note;
    return answer.ok && (await answer.text()) !== line.dataset.version;
  } catch {
    line.textContent = "Not updated any more: nas watch has ended.";
    return false;
  }
}
async function check() {
  // A hidden tab asks for nothing: making and drawing the page takes time from the search.
  if (!document.hidden && (await changed())) location.reload();
  else setTimeout(check, 3000);
}
setTimeout(check, 3000);
