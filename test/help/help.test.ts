import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { KV_SETTINGS, SETTINGS } from '../../src/experiment/settings'
import { sweepParameters } from '../../src/experiment/sweep-parameters'
import { FIGURES } from '../../src/figures/registry'
import { PRE_SCALE_VARIANTS, ROUNDINGS, SCALE_RULES } from '../../src/formats/number-format'
import { FORMATS } from '../../src/formats/registry'
import { glossaryMarkdown, searchHelp } from '../../src/help/glossary'
import { HELP_GROUPS, helpById } from '../../src/help/registry'
import { topicIds } from '../../src/help/topics'
import { MITIGATIONS, TRANSFORMS } from '../../src/methods/registry'
import { COLUMNS } from '../../src/store/table-rows'
import { VIEWS } from '../../src/store/views'

const ENTRIES = HELP_GROUPS.flatMap(({ entries }) => entries)
const REGISTRIES = { methods: METHOD_CATALOG, formats: FORMATS, views: VIEWS }
const found = (topic: string) => topicIds([topic], REGISTRIES).filter((id) => helpById(id) !== null)

/** Where there is nothing to calculate. */
const WITHOUT_FORMULA = ['head-size', 'method-preset', 'activations.captured', 'rows', 'metric.time']

const SOURCE =
  /arXiv \d{4}\.\d{5}|OCP|docs\/\w|src\/\w|IEEE|microxcaling|TransformerEngine|torchao|bfloat16|compressed-tensors|each number format defines/

describe('every name of the registries has an entry', () => {
  const named = (prefix: string, ids: readonly string[]) => ids.map((id) => `${prefix}${id}`)
  it.each([
    ['transforms', TRANSFORMS.map(({ id }) => id)],
    ['mitigations', MITIGATIONS.map(({ id }) => id)],
    ['formats', FORMATS.map(({ id }) => id)],
    ['scale rules', named('rule.', SCALE_RULES)],
    ['roundings', named('rounding.', ROUNDINGS)],
    ['pre-scales', named('pre-scale.', PRE_SCALE_VARIANTS)],
    ['settings', SETTINGS.map(({ id }) => id.toLowerCase())],
    ['columns of the table', named('metric.', [...COLUMNS.map(({ id }) => id), 'paper'])],
    [
      'figures',
      named(
        'figure.',
        FIGURES.map(({ id }) => id),
      ),
    ],
    ['figures of Figure 5', named('figure.', ['histogram', 'map', 'channels', 'flatness'])],
    ['settings with a cache', KV_SETTINGS.length > 0 ? ['kv-cache'] : []],
  ])('%s', (_, ids) => {
    expect(ids.length).toBeGreaterThan(0)
    expect(ids.filter((id) => helpById(id) === null)).toEqual([])
  })

  it('methods: what each is made of, and every option of it', () => {
    for (const { id, options } of METHOD_CATALOG) {
      const ids = found(`method:${id}`)
      expect(ids[0], id).toBeDefined()
      for (const { key } of options)
        expect(
          ids.some((each) => each.endsWith(`.${key}`)),
          `${id}.${key}`,
        ).toBe(true)
      expect(ids, id).toHaveLength(new Set(ids.filter((each) => !each.includes('.'))).size + options.length)
    }
    expect(found('method:rtn')[0]).toBe('rtn')
    expect(found('method:quarot+gptq').slice(0, 2)).toEqual(['quarot', 'gptq'])
    expect(found('method:mr-gptq').slice(0, 3)).toEqual(['mr-gptq', 'block-hadamard', 'gptq'])
    expect(found('method:flatquant+gptq+low-rank')).toEqual(
      expect.arrayContaining(['flatquant.alpha', 'gptq.damping', 'low-rank.rank']),
    )
  })

  it('formats: every option', () => {
    for (const { id, options } of FORMATS) expect(found(`format:${id}`), id).toHaveLength(1 + options.length)
  })

  it('views: what each shows', () => {
    for (const { id } of VIEWS) {
      const ids = topicIds([`view:${id}`], REGISTRIES)
      expect(
        ids.filter((each) => helpById(each) === null),
        id,
      ).toEqual([])
    }
  })

  it('parameters of sweeps: those of the methods that have one, or their own', () => {
    for (const { id } of METHOD_CATALOG) {
      for (const { key } of sweepParameters(id)) expect(found(`sweep:${key}`).length, key).toBeGreaterThan(0)
    }
    expect(found('sweep:alpha')).toEqual([
      'smoothquant.alpha',
      'flatquant.alpha',
      'block-affine.alpha',
      'scaled-hadamard.alpha',
    ])
  })
})

describe('an entry', () => {
  it('has an id of its own that a link can carry', () => {
    const ids = ENTRIES.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_+.-]+$/)
  })

  it('is two to five sentences, with its formula and its source', () => {
    for (const { id, title, text, formula, source } of ENTRIES) {
      const sentences = text.match(/[.](?=\s|$)/g)?.length ?? 0
      expect(sentences, id).toBeGreaterThanOrEqual(2)
      expect(sentences, id).toBeLessThanOrEqual(5)
      expect(text.split(/\s+/).length, id).toBeLessThanOrEqual(110)
      expect(`${title} ${text}`, id).not.toMatch(/[!]|\s{2}|\bvery\b|simply/)
      expect(WITHOUT_FORMULA.includes(id), `${id} has a formula: ${formula}`).toBe(formula === null)
      expect(source, id).toMatch(SOURCE)
    }
  })

  it('names pages and files that exist, and papers that docs/methods.md or docs/formats.md name', () => {
    const pages = ['methods', 'formats', 'metrics', 'figures', 'rotation'].map((page) =>
      readFileSync(`docs/${page}.md`, 'utf8'),
    )
    const known = pages.join('\n')
    for (const { id, source } of ENTRIES) {
      for (const [path] of source.matchAll(/(?:docs|src)\/[\w/.-]+\.(?:md|ts)/g)) {
        expect(readFileSync(path, 'utf8').length, `${id}: ${path}`).toBeGreaterThan(0)
      }
      for (const [, paper] of source.matchAll(/arXiv (\d{4}\.\d{5})/g))
        expect(known, `${id}: ${paper}`).toContain(paper)
      for (const [, section] of source.matchAll(/, "([^"]+)"/g))
        expect(readDocs(), `${id}: ${section}`).toContain(section)
    }
  })

  it('says of a method what ours does otherwise than its paper, where docs/methods.md lists deviations', () => {
    const page = readFileSync('docs/methods.md', 'utf8')
    const deviating = page.split(/^## /m).filter((section) => section.includes('*Deviations.*'))
    const ids = deviating.map((section) => section.split('\n')[0].trim().toLowerCase().replace(' ', '-'))
    expect(ids).toEqual(
      expect.arrayContaining(['smoothquant', 'awq', 'quarot', 'spinquant', 'flatquant', 'gptq', 'low-rank']),
    )
    for (const id of ids) expect(helpById(id)?.text, id).toMatch(/\b[Oo]urs\b/)
  })
})

const readDocs = () =>
  readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => readFileSync(`docs/${file}`, 'utf8'))
    .join('\n')

describe('the search of the glossary', () => {
  const idsOf = (query: string) => searchHelp(HELP_GROUPS, query).flatMap(({ entries }) => entries.map(({ id }) => id))
  it('finds by title first, then by text, source and formula; every word counts', () => {
    expect(searchHelp(HELP_GROUPS, ' ')).toBe(HELP_GROUPS)
    const methods = searchHelp(HELP_GROUPS, 'quarot').find(({ id }) => id === 'transforms')
    expect(methods?.entries[0].id).toBe('quarot')
    expect(idsOf('2404.00456')).toContain('quarot')
    expect(idsOf('log2 max')).toContain('rule.floor')
    expect(idsOf('pre-scale literal')).toContain('pre-scale.literal')
    expect(idsOf('pre-scale literal')).not.toContain('quarot')
    expect(idsOf('no such word here')).toEqual([])
  })
})

it('docs/glossary.md is what the help says', async () => {
  await expect(glossaryMarkdown(HELP_GROUPS)).toMatchFileSnapshot('../../docs/glossary.md')
})
