import { FileError } from '../core/errors'

/** Reads a built-in layer by its path below the page's address. Throws FileError IO-02 when the site does not have it. */
export async function fetchLayer(file: string): Promise<File> {
  const response = await fetch(new URL(file, document.baseURI))
  if (!response.ok) {
    throw new FileError(
      'IO-02',
      `built-in layer "${file}": expected the file beside the page, found ${response.status}.`,
    )
  }
  return new File([await response.blob()], file.split('/').at(-1) ?? file)
}
