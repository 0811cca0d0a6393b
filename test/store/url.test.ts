import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { settingOf } from '../../src/experiment/settings'
import { chooseFormat, formatText } from '../../src/formats/format-text'
import { BLOCK_SIZES, PRE_SCALE_VARIANTS, ROUNDINGS, SCALE_RULES } from '../../src/formats/number-format'
import type { Figure5Look } from '../../src/store/figure5'
import { fileNameOf } from '../../src/store/file-name'
import { EXPONENT_RANGE, LINE_LIMIT, MAX_LINE_ROWS, MAXIMUM_RANGE } from '../../src/store/formats-view'
import {
  DEGREES,
  LEARNED_ROTATION_METHODS,
  OUTLIER_RANGE,
  STEPS_RANGE,
  STRENGTHS,
  WIDTHS,
} from '../../src/store/rotation-view'
import type { MethodSetup } from '../../src/store/state'
import { formatLink, type LinkState, parseLink, readLink } from '../../src/store/url'
import { VIEWS } from '../../src/store/views'
import { DEFAULT_CONTROLS } from '../../src/store/vocabulary'
import { METHODS, VOCABULARY } from './fake-engine'

const name = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/\p{Surrogate}/gu, '?'))
/** Any format with any of its options, as text; null: as loaded. */
const formatOf = fc.option(
  fc.constantFrom(...VOCABULARY.formats).chain((format) => {
    const choices = format.options.map((spec) => {
      const values = spec.kind === 'choice' ? spec.choices : [spec.default]
      return fc.constantFrom(...values).map((value) => [spec.key, value] as const)
    })
    return fc.tuple(...choices).map((pairs) => formatText(chooseFormat(format, Object.fromEntries(pairs))))
  }),
)

const source = fc.oneof(
  fc.record({ kind: fc.constant('demo' as const), id: name }),
  fc.record({
    kind: fc.constant('file' as const),
    name,
    byteLength: fc.nat(),
    headerHash: fc.constantFrom('', '3fa9c1d2e07b'),
    url: fc.constant(null),
  }),
  fc
    .record({ byteLength: fc.nat(), host: fc.domain(), path: fc.webPath(), query: fc.webQueryParameters() })
    .map(({ byteLength, host, path, query }) => {
      const url = new URL(`https://${host}${path}?${query}`).href
      return { kind: 'file' as const, name: fileNameOf(url), byteLength, headerHash: '', url }
    }),
)

const activations = fc.oneof(
  fc.record({ kind: fc.constant('captured' as const), tensor: name }),
  fc.record({
    kind: fc.constantFrom('synthetic' as const, 'norm' as const),
    tokens: fc.integer({ min: 32, max: 8192 }),
    outlierChannels: fc.integer({ min: 0, max: 65_536 }),
    outlierGain: fc.integer({ min: 100, max: 100_000 }).map((hundredths) => hundredths / 100),
    tailDegrees: fc.option(fc.integer({ min: 20, max: 1000 }).map((tenths) => tenths / 10)),
    correlation: fc.integer({ min: 0, max: 99 }).map((percent) => percent / 100),
    massive: fc.option(
      fc.record({ channels: fc.integer({ min: 1, max: 64 }), size: fc.integer({ min: 10, max: 3000 }) }),
    ),
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
  .chain(({ rtn, quarot, flatquant }) => {
    const chosen: MethodSetup[] = [
      { id: 'rtn', hidden: rtn, options: {} },
      ...(quarot ? [{ id: 'quarot', hidden: quarot.hidden, options: quarot.signs }] : []),
      ...(flatquant ? [{ id: 'flatquant', hidden: flatquant.hidden, options: flatquant.options }] : []),
    ]
    return fc.shuffledSubarray(chosen, { minLength: chosen.length })
  })

const setup = fc.record({
  setting: fc.oneof(
    fc.constantFrom(...VOCABULARY.settings, ...VOCABULARY.kvSettings),
    fc.record({ weightFormat: formatOf, activationFormat: formatOf, outputFormat: formatOf }).map(settingOf),
  ),
  scaleRule: fc.constantFrom(...SCALE_RULES),
  rounding: fc.constantFrom(...ROUNDINGS),
  preScale: fc.record({
    on: fc.boolean(),
    factor: fc.integer({ min: 50, max: 100 }).map((percent) => percent / 100),
    variant: fc.constantFrom(...PRE_SCALE_VARIANTS),
  }),
  blockSize: fc.constantFrom(...BLOCK_SIZES),
  headDim: fc.option(fc.integer({ min: 1, max: 65_536 })),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  methods,
})

const factor = fc.option(fc.integer({ min: 50, max: 100 }).map((percent) => percent / 100))
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const rising = (min: number) =>
  fc
    .tuple(number(min, LINE_LIMIT), number(min, LINE_LIMIT))
    .filter(([from, to]) => from < to)
    .map(([from, to]) => ({ from, to }))
const line = fc.constantFrom('linear' as const, 'log' as const).chain((axis) =>
  fc.record({
    rows: fc.array(
      formatOf.map((text) => text ?? 'bf16'),
      { maxLength: MAX_LINE_ROWS },
    ),
    scaling: fc.constantFrom('maximum' as const, 'exponent' as const),
    maximum: number(MAXIMUM_RANGE.min, MAXIMUM_RANGE.max),
    exponent: fc.integer(EXPONENT_RANGE).map((exponent) => exponent + 0),
    axis: fc.constant(axis),
    range: fc.option(rising(axis === 'log' ? 1e-9 : -LINE_LIMIT)),
    value: number(-LINE_LIMIT, LINE_LIMIT),
    preScale: factor,
  }),
)

const study = fc.record({
  part: fc.constantFrom('synthetic' as const, 'layer' as const),
  strength: fc.constantFrom(...STRENGTHS),
  outlierChannels: fc.integer(OUTLIER_RANGE),
  correlation: fc.integer({ min: -10, max: 20 }).map((twentieths) => twentieths / 20 + 0),
  degrees: fc.constantFrom(null, ...DEGREES),
  width: fc.constantFrom(...WIDTHS),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  clustered: fc.boolean(),
  learned: fc.subarray([...LEARNED_ROTATION_METHODS]),
  steps: fc.option(fc.integer(STEPS_RANGE)),
  rotation: fc.constant('quarot'),
})

const look: fc.Arbitrary<Figure5Look> = fc
  .record({
    subject: fc.constantFrom('activations' as const, 'weight' as const, 'error' as const, 'tensor' as const),
    tensor: fc.option(name),
    stage: fc.constantFrom('transformed' as const, 'quantized' as const),
    axes: fc.constantFrom('shared' as const, 'own' as const),
    order: fc.constantFrom('channel' as const, 'norm' as const),
  })
  // A name is part of a link where it is looked at.
  .map((each) => ({ ...each, tensor: each.subject === 'tensor' ? each.tensor : null }))

const state: fc.Arbitrary<LinkState> = fc.record({
  sources: fc.array(source, { maxLength: 3 }),
  weight: fc.option(name),
  activations: fc.option(activations),
  setup,
  heldOutShare: fc.integer({ min: 0, max: 16 }).map((steps) => steps / 20),
  firstToken: fc.nat({ max: 1_000_000 }),
  tokens: fc.option(fc.integer({ min: 2, max: 100_000 })),
  view: fc.constantFrom(...VIEWS.map(({ id }) => id)),
  pins: fc.record({
    block: fc.record({
      operand: fc.constantFrom('weight' as const, 'activations' as const),
      row: fc.nat(),
      block: fc.nat(),
    }),
    channel: fc.option(fc.nat()),
    method: fc.option(fc.constantFrom('rtn', 'quarot')),
  }),
  baseline: fc.constantFrom('rtn', 'flatquant'),
  compared: fc.record({ formats: fc.tuple(formatOf, formatOf), preScale: factor }),
  formats: line,
  figure5: look,
  rotation: study,
  sweep: fc.constantFrom(null, 'alpha', 'steps', 'tokens'),
  surface: fc.constantFrom('map' as const, '3d' as const),
  axes: fc.constantFrom('shared' as const, 'own' as const),
  theme: fc.constantFrom('auto' as const, 'light' as const, 'dark' as const),
  help: fc.constantFrom(null, 'index', 'quarot', 'low-rank.branchInput', 'gptq+low-rank'),
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
      fc.constantFrom(
        'src',
        'w',
        'a',
        'set',
        'wf',
        'of',
        'rule',
        'tie',
        'pre',
        'bs',
        'hd',
        'seed',
        'eval',
        'rows',
        'm',
        'view',
        'f5',
        'ro',
        'rr',
        'pin',
        'bf',
        'bp',
        'fx',
        'fl',
      ),
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
      activations: { kind: 'norm', ...DEFAULT_CONTROLS, tailDegrees: 4, massive: { channels: 2, size: 300 } },
      setup: {
        ...link.setup,
        setting: settingOf({ weightFormat: 'mxfp8_e4m3', activationFormat: 'mxfp8_e4m3', outputFormat: null }),
        rounding: 'half-away',
        preScale: { ...link.setup.preScale, on: false },
        methods: [
          { id: 'rtn', hidden: true, options: {} },
          { id: 'flatquant', hidden: false, options: { steps: 60 } },
        ],
      },
    }
    expect(format(changed)).toBe(
      'v=1&w=model.layers.8.self_attn.q_proj.weight&a=norm,t512,o6x20,v4,m2x300&set=w8a8&tie=away&pre=0&m=-rtn,flatquant(steps=60)',
    )
  })

  it('writes formats with their options, and every choice of the number format', () => {
    const text =
      'v=1&set=custom&wf=int4(group=128,scheme=asym)&af=nvfp4(four-over-six=mse)&of=mxfp8_e4m3&rule=best&tie=zero&pre=0.8l&bs=64&hd=96'
    const { setup: chosen } = parse(text)
    expect(chosen).toMatchObject({
      setting: {
        id: 'int4(group=128,scheme=asym)/nvfp4(four-over-six=mse)/mxfp8_e4m3',
        weightFormat: 'int4(group=128,scheme=asym)',
        activationFormat: 'nvfp4(four-over-six=mse)',
        outputFormat: 'mxfp8_e4m3',
      },
      scaleRule: 'best',
      rounding: 'toward-zero',
      preScale: { on: true, factor: 0.8, variant: 'literal' },
      blockSize: 64,
      headDim: 96,
    })
    expect(format(parse(text))).toBe(text)
  })

  it('writes what the Formats and the Blocks view show', () => {
    const text =
      'v=1&view=formats&bf=auto+int4(group=32)&bp=0.6&fx=mxfp4+int4(scheme=asym)&fl=x-2.5,m4,exp,k-2,log,r0.01..6,p0.9'
    const link = parse(text)
    expect(link.compared).toEqual({ formats: [null, 'int4(group=32)'], preScale: 0.6 })
    expect(link.formats).toEqual({
      rows: ['mxfp4', 'int4(scheme=asym)'],
      scaling: 'exponent',
      maximum: 4,
      exponent: -2,
      axis: 'log',
      range: { from: 0.01, to: 6 },
      value: -2.5,
      preScale: 0.9,
    })
    expect(format(link)).toBe(text)
    expect(parse('fx=none').formats.rows).toEqual([])
  })

  it.each([
    ['fx=mxfp5', {}],
    ['fx=mxfp5+bf16', { rows: ['bf16'] }],
    ['fl=xnonsense', {}],
    ['fl=x3,m0', { value: 3 }],
    ['fl=k2.5', {}],
    ['fl=r3..1', {}],
    ['fl=log,r-1..2', { axis: 'log' }],
    ['fl=p0.2', {}],
    ['fl=', {}],
  ])('takes what it can of %s, and names it', (text, taken) => {
    const read = readLink(text, VOCABULARY)
    expect(read.ignored).toEqual([text.slice(0, 2)])
    expect(read.link).toEqual({ ...parse(''), formats: { ...parse('').formats, ...taken } })
  })

  it('takes no more rows of formats than the page shows', () => {
    const read = readLink(
      `fx=${Array(MAX_LINE_ROWS + 1)
        .fill('bf16')
        .join('+')}`,
      VOCABULARY,
    )
    expect([read.link.formats.rows.length, read.ignored]).toEqual([MAX_LINE_ROWS, ['fx']])
  })

  it('writes what the Rotation view is set to', () => {
    const text = 'v=1&view=rotation&ro=synthetic,k8,o16,a-0.25,t3,w512,s7,packed,flatquant,n200'
    const link = parse(text)
    expect(link.rotation).toEqual({
      part: 'synthetic',
      strength: 8,
      outlierChannels: 16,
      correlation: -0.25,
      degrees: 3,
      width: 512,
      seed: 7,
      clustered: true,
      learned: ['flatquant'],
      steps: 200,
      rotation: 'quarot',
    })
    expect(format(link)).toBe(text)
  })

  it.each(['ro=k3', 'ro=o99', 'ro=a1.5', 'ro=t2', 'ro=w100', 'ro=s-1', 'ro=n0', 'ro=', 'ro=awq', 'rr=rtn', 'rr=spin'])(
    'cannot follow %s, and keeps the default',
    (text) => {
      const read = readLink(text, VOCABULARY)
      expect(read.ignored).toEqual([text.slice(0, 2)])
      expect(read.link).toEqual(parse(''))
    },
  )

  it.each(['bf=mxfp4', 'bf=mxfp5+mxfp4', 'bp=2', 'bp=x'])('cannot follow %s to the letter', (text) => {
    expect(readLink(text, VOCABULARY).ignored).toEqual([text.slice(0, 2)])
  })

  it('names settings of the key-value cache like the others', () => {
    expect(parse('v=1&set=w4a8kv4').setup.setting).toMatchObject({ id: 'W4A8KV4', outputFormat: 'mxfp4' })
    expect(format(parse('v=1&set=w4a8kv4'))).toBe('v=1&set=w4a8kv4')
  })

  it.each([
    ['0', { on: false, factor: 0.75, variant: 'exact' }],
    ['0,0.9', { on: false, factor: 0.9, variant: 'exact' }],
    ['0.75l', { on: true, factor: 0.75, variant: 'literal' }],
    ['1', { on: true, factor: 1, variant: 'exact' }],
  ])('reads and writes the pre-scale %s', (text, expected) => {
    expect(parse(`pre=${text}`).setup.preScale).toEqual(expected)
    expect(format(parse(`pre=${text}`))).toBe(`v=1&pre=${text}`)
  })

  it.each(['pre=0.4', 'pre=1.1', 'pre=x', 'pre=0.8m', 'bs=24', 'hd=1.5', 'hd=0', 'rule=nearest'])(
    'says that it cannot follow %s',
    (text) => {
      const read = readLink(text, VOCABULARY)
      expect(read.ignored).toEqual([text.slice(0, text.indexOf('='))])
      expect(read.link).toEqual(parse(''))
    },
  )

  it('says which of three formats does not exist, and takes the others', () => {
    const read = readLink('set=custom&wf=int4(group=77)&af=int8&of=16', VOCABULARY)
    expect(read.ignored).toEqual(['wf'])
    expect(read.link.setup.setting).toMatchObject({
      weightFormat: 'mxfp4',
      activationFormat: 'int8',
      outputFormat: null,
    })
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
    expect(format(parse('v=1&view=error&zoom=3,4&brush=c12'))).toBe('v=1&view=error&zoom=3,4&brush=c12')
  })
})
