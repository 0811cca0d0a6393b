/** Longer stems are cut: some systems allow 255 bytes for a name, extension included. */
const LONGEST_STEM = 140

/** `parts` joined by dashes as a file name without spaces: letters, digits, dot, dash, plus and underscore. */
export function fileName(parts: readonly string[], extension: string): string {
  const stem = parts
    .map((part) =>
      part
        .normalize('NFKD')
        .replace(/[^A-Za-z0-9._+]+/g, '-')
        .replace(/^[-.]+|[-.]+$/g, ''),
    )
    .filter((part) => part !== '')
    .join('-')
    .slice(0, LONGEST_STEM)
  return `${stem || 'mxscope'}.${extension}`
}
