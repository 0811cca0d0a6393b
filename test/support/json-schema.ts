/** A small checker of JSON Schema: the keywords our schemas use; any other one is an error of the test itself. */
type Schema = Readonly<Record<string, unknown>>

const ANNOTATIONS = ['$schema', '$defs', 'title', 'description']

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** Where `value` breaks `schema`, as "path: keyword"; empty when it does not. */
export function schemaProblems(root: Schema, value: unknown, schema: Schema = root, path = '$'): string[] {
  const down = (inner: unknown, next: unknown, at: string) => schemaProblems(root, next, inner as Schema, at)
  const entries = Object.entries((TYPES.object(value) ? value : {}) as Record<string, unknown>)
  const checks: Readonly<Record<string, (given: unknown) => string[]>> = {
    type: (given) => (TYPES[String(given)](value) ? [] : [`${path}: type ${given}`]),
    const: (given) => (given === value ? [] : [`${path}: const`]),
    enum: (given) => ((given as unknown[]).includes(value) ? [] : [`${path}: enum`]),
    minimum: (given) => (Number(value) >= Number(given) ? [] : [`${path}: minimum`]),
    required: (given) =>
      (given as string[]).flatMap((key) => (entries.some(([own]) => own === key) ? [] : [`${path}.${key}: required`])),
    properties: (given) =>
      entries.flatMap(([key, own]) =>
        Object.hasOwn(given as object, key) ? down((given as Schema)[key], own, `${path}.${key}`) : [],
      ),
    additionalProperties: (given) => entries.flatMap(([key, own]) => down(given, own, `${path}.${key}`)),
    items: (given) => (Array.isArray(value) ? value.flatMap((own, at) => down(given, own, `${path}[${at}]`)) : []),
    allOf: (given) => (given as unknown[]).flatMap((each) => down(each, value, path)),
    anyOf: (given) => {
      const tried = (given as unknown[]).map((each) => down(each, value, path))
      return tried.some((problems) => problems.length === 0) ? [] : [`${path}: anyOf (${tried.flat().join('; ')})`]
    },
    $ref: (given) => {
      const name = String(given).replace('#/$defs/', '')
      return down((root.$defs as Schema)[name], value, path)
    },
  }
  return Object.entries(schema).flatMap(([keyword, given]) => {
    if (ANNOTATIONS.includes(keyword)) return []
    if (!Object.hasOwn(checks, keyword)) throw new Error(`the checker does not know the keyword ${keyword}`)
    return checks[keyword](given)
  })
}
