import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ROUNDINGS, SCALE_RULES } from '../../src/formats/number-format'
import type { OptionValues } from '../../src/methods/options'
import type { MethodSetup } from '../../src/store/state'
import { formatLink, type LinkState, parseLink, settingOf } from '../../src/store/url'
import { VIEWS } from '../../src/store/views'
import { METHODS, VOCABULARY } from './fake-engine'

const name = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/\p{Surrogate}/gu, '?'))
const formatId = fc.option(fc.constantFrom(...VOCABULARY.formats.map(({ id }) => id)))

const source = fc.oneof(
  fc.record({ kind: fc.constant('demo' as const), id: name }),
  fc.record({
    kind: fc.constant('file' as const),
    name,
    byteLength: fc.nat(),
    headerHash: fc.constantFrom('', '3fa9c1d2e07b'),
  }),
)

const activations = fc.oneof(
  fc.record({ kind: fc.constant('captured' as const), tensor: name }),
  fc.record({
    kind: fc.constant('synthetic' as const),
    tokens: fc.integer({ min: 32, max: 8192 }),
    outlierChannels: fc.integer({ min: 0, max: 65_536 }),
    outlierGain: fc.integer({ min: 100, max: 100_000 }).map((hundredths) => hundredths / 100),
  }),
)

const flatquantOptions: fc.Arbitrary<OptionValues> = fc.record(
  {
    steps: fc.integer({ min: 0, max: 1000 }).filter((steps) => steps !== 120),
    alpha: fc
      .integer({ min: 0, max: 100 })
      .map((percent) => percent / 100)
      .filter((alpha) => alpha !== 0.3),
  },
  { requiredKeys: [], noNullPrototype: true },
)

const methods = fc
  .record({
    rtn: fc.boolean(),
    quarot: fc.option(fc.record({ hidden: fc.boolean(), signs: fc.constantFrom<OptionValues>({}, { signs: 'off' }) })),
    flatquant: fc.option(fc.record({ hidden: fc.boolean(), options: flatquantOptions })),
  })
  .map(({ rtn, quarot, flatquant }): MethodSetup[] => [
    { id: 'rtn', hidden: rtn, options: {} },
    ...(quarot ? [{ id: 'quarot', hidden: quarot.hidden, options: quarot.signs }] : []),
    ...(flatquant ? [{ id: 'flatquant', hidden: flatquant.hidden, options: flatquant.options }] : []),
  ])

const setup = fc.record({
  setting: fc.tuple(formatId, formatId).map(([weight, activation]) => settingOf(weight, activation, VOCABULARY)),
  scaleRule: fc.constantFrom(...SCALE_RULES),
  rounding: fc.constantFrom(...ROUNDINGS),
  preScale: fc.boolean(),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  methods,
})

const state: fc.Arbitrary<LinkState> = fc.record({
  sources: fc.array(source, { maxLength: 3 }),
  weight: fc.option(name),
  activations: fc.option(activations),
  setup,
  heldOutShare: fc.integer({ min: 0, max: 16 }).map((steps) => steps / 20),
  tokens: fc.option(fc.integer({ min: 2, max: 100_000 })),
  view: fc.constantFrom(...VIEWS.map(({ id }) => id)),
  surface: fc.constantFrom('map' as const, '3d' as const),
  theme: fc.constantFrom('auto' as const, 'light' as const, 'dark' as const),
  unknown: fc.array(fc.tuple(fc.stringMatching(/^z[a-z]{0,5}$/), fc.stringMatching(/^[a-z0-9,.:]{0,9}$/)), {
    maxLength: 2,
  }),
})

const format = (link: LinkState) => formatLink(link, VOCABULARY)
const parse = (text: string) => parseLink(text, VOCABULARY)

describe('a link', () => {
  it('gives back every state it was made from', () => {
    fc.assert(
      fc.property(state, (link) => {
        expect(parse(format(link))).toEqual(link)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('is the same after another round', () => {
    fc.assert(
      fc.property(state, (link) => {
        const text = format(link)
        expect(format(parse(text))).toBe(text)
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  it('never throws, whatever the address holds', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 })
    const pair = fc.tuple(
      fc.constantFrom('src', 'w', 'a', 'set', 'wf', 'rule', 'tie', 'seed', 'eval', 'rows', 'm', 'view'),
      text,
    )
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const link = parse(`#${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`)
        expect(link.setup.methods.map(({ id }) => id)).toContain('rtn')
        expect(link.setup.seed).toBeGreaterThanOrEqual(0)
        expect(link.heldOutShare).toBeLessThanOrEqual(0.8)
      }),
      { seed: 3, numRuns: 150 },
    )
  })

  it('is empty for a first visit', () => {
    expect(format(parse(''))).toBe('')
  })

  it('is readable', () => {
    const link = parse('')
    const changed: LinkState = {
      ...link,
      weight: 'model.layers.8.self_attn.q_proj.weight',
      activations: { kind: 'synthetic', tokens: 512, outlierChannels: 6, outlierGain: 20 },
      setup: {
        ...link.setup,
        setting: { id: 'W8A8', weightFormat: 'mxfp8_e4m3', activationFormat: 'mxfp8_e4m3' },
        rounding: 'half-away',
        preScale: false,
        methods: [
          { id: 'rtn', hidden: true, options: {} },
          { id: 'flatquant', hidden: false, options: { steps: 60 } },
        ],
      },
    }
    expect(format(changed)).toBe(
      'v=1&w=model.layers.8.self_attn.q_proj.weight&a=syn,t512,o6x20&set=w8a8&tie=away&pre=0&m=-rtn,flatquant(steps=60)',
    )
  })

  it('falls back to the default for what does not exist', () => {
    const link = parse('#v=1&set=w3a3&rule=nearest&seed=-1&eval=7&m=nonsense&view=movie&th=pink')
    expect(link).toEqual(parse(''))
  })

  it('drops options that are unknown, out of range or at their default', () => {
    const { methods: chosen } = parse('m=flatquant(steps=99999,alpha=0.3,speed=9)').setup
    expect(chosen).toEqual([
      { id: 'rtn', hidden: true, options: {} },
      { id: 'flatquant', hidden: false, options: {} },
    ])
    expect(METHODS).toHaveLength(3)
  })

  it('keeps keys it does not know', () => {
    expect(format(parse('v=1&view=error&zoom=3,4&pin=c12'))).toBe('v=1&view=error&zoom=3,4&pin=c12')
  })
})
