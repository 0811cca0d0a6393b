/** Plain data that a recipe is made of. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | YamlMap

/** Keys in the order they are written; undefined: not at all. */
export interface YamlMap {
  readonly [key: string]: YamlValue | undefined
}

/** Text that YAML reads back as the same text without quotes: no word or number of its own, nothing it would split. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_./-]*$/i

function scalar(value: string | number | boolean | null): string {
  return typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value)
}

const isScalar = (value: YamlValue): value is string | number | boolean | null =>
  value === null || typeof value !== 'object'
const isList = (value: YamlValue): value is readonly YamlValue[] => Array.isArray(value)

/**
 * `value` as YAML 1.2: maps in block style, lists of scalars on one line. Keys without a value (undefined) are left out;
 * text is quoted where YAML would read it as something else. Lists hold scalars only.
 */
export function yamlText(value: YamlMap, indent = ''): string {
  return Object.entries(value)
    .flatMap(([key, entry]) => (entry === undefined ? [] : [[scalar(key), entry] as const]))
    .map(([key, entry]) => {
      if (isScalar(entry)) return `${indent}${key}: ${scalar(entry)}\n`
      if (isList(entry)) return `${indent}${key}: [${entry.filter(isScalar).map(scalar).join(', ')}]\n`
      const inner = yamlText(entry, `${indent}  `)
      return inner === '' ? `${indent}${key}: {}\n` : `${indent}${key}:\n${inner}`
    })
    .join('')
}

/** `text` as comment lines of at most `width` characters, broken between words. */
export function commentLines(text: string, width = 100): string {
  const lines: string[] = []
  let line = '#'
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > width && line !== '#') {
      lines.push(line)
      line = '#  '
    }
    line += ` ${word}`
  }
  return `${[...lines, line].join('\n')}\n`
}
