import { FileError } from '../core/errors'

/**
 * Reads a built-in layer by its path below the page's address. Throws FileError IO-02 when the site does not have it,
 * IO-07 when the site cannot be asked.
 */
export async function fetchLayer(file: string): Promise<File> {
  const response = await fetch(new URL(file, document.baseURI)).catch((cause: unknown) => {
    const message = 'expected an answer of the site of this page, found none. It needs a connection; try again.'
    throw new FileError('IO-07', `built-in layer "${file}": ${message}`, { cause })
  })
  if (!response.ok) {
    throw new FileError(
      'IO-02',
      `built-in layer "${file}": expected the file beside the page, found ${response.status}.`,
    )
  }
  return new File([await response.blob()], file.split('/').at(-1) ?? file)
}
