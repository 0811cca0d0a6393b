/** The last part of an address, as a file is called that comes from there. */
export function fileNameOf(url: string): string {
  const last = URL.canParse(url) ? (new URL(url).pathname.split('/').at(-1) ?? '') : ''
  try {
    return decodeURIComponent(last) || url
  } catch {
    return last
  }
}
