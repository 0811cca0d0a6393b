import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { VERSION } from '../../../src/core/version'
import { METHOD_CATALOG } from '../../../src/experiment/catalog'
import { type RecipeRequest, recipeFor } from '../../../src/experiment/recipe/recipe'
import { KV_SETTINGS, parseSetting, SETTINGS } from '../../../src/experiment/settings'
import { STANDARD_MX } from '../../../src/formats/quantizer'

/** As compressed-tensors has it: what is measured so differs from a recipe in nothing. */
const EVEN = { ...STANDARD_MX, scaleRule: 'even' as const }

function recipe(
  id: string,
  more: Partial<Omit<RecipeRequest, 'method'>> & { options?: Record<string, string | number> } = {},
) {
  const { options = {}, ...rest } = more
  return recipeFor({
    method: { id, options },
    setting: parseSetting('W4A4'),
    choices: EVEN,
    layer: 'model.layers.2.self_attn.q_proj',
    ...rest,
  })
}

/** The modifiers of a recipe by name, in order. */
function modifiersOf(yaml: string): [string, Record<string, unknown>][] {
  return Object.entries(parse(yaml).quant_stage.quant_modifiers)
}
const namesOf = (yaml: string) => modifiersOf(yaml).map(([name]) => name)

/** Class names of LLM Compressor at the version of docs/export.md. */
const KNOWN_MODIFIERS = [
  'AWQModifier',
  'GPTQModifier',
  'QuantizationModifier',
  'QuIPModifier',
  'SmoothQuantModifier',
  'SpinQuantModifier',
]

test('says on what and with which seed the method was measured, where it was', () => {
  const firstLines = (text: string) => text.slice(0, 400).replaceAll(/\n#\s+/g, ' ')
  const measured = { seed: 7, adapter: 'Test adapter' }
  expect(firstLines(recipe('rtn', { measured }).yaml)).toContain(`MXScope ${VERSION}, seed 7, on Test adapter.`)
  expect(firstLines(recipe('rtn').yaml)).toContain(`MXScope ${VERSION}. Names`)
})

describe('every method of the grid', () => {
  test.each(METHOD_CATALOG.map(({ id }) => id))(
    '%s: YAML that a reader reads, known modifiers, one that quantizes, last',
    (id) => {
      const { yaml, python, deviations } = recipe(id)
      const names = namesOf(yaml)
      for (const name of names) expect(KNOWN_MODIFIERS).toContain(name)
      const quantizing = names.filter((name) => /^(Quantization|GPTQ)Modifier$/.test(name))
      expect(quantizing).toEqual([names.at(-1)])
      expect(python).toContain(yaml.split('\n')[0])
      expect(deviations.length).toBeGreaterThan(0)
      for (const said of deviations) expect(said).toMatch(/^[A-Z].*\.$/)
    },
  )

  test('has every deviation as a comment in the YAML and in the script', () => {
    const { yaml, python, deviations } = recipe('flatquant+gptq+low-rank', { choices: STANDARD_MX })
    const flat = (text: string) => text.replaceAll(/\n#\s+/g, ' ')
    for (const said of deviations) {
      expect(flat(yaml)).toContain(said)
      expect(flat(python)).toContain(said)
    }
    expect(deviations.length).toBeGreaterThanOrEqual(4)
  })
})

describe('modifiers', () => {
  test('RTN under the rule of compressed-tensors deviates in its scope only', () => {
    const { yaml, deviations } = recipe('rtn')
    expect(modifiersOf(yaml)).toEqual([
      ['QuantizationModifier', { targets: ['Linear'], scheme: 'MXFP4', ignore: ['lm_head'] }],
    ])
    expect(deviations).toHaveLength(1)
  })

  test('GPTQ gets damping and order, and natural order is said with null, since static is the default', () => {
    const [[, natural]] = modifiersOf(recipe('gptq', { options: { damping: 0.02, scales: 'static' } }).yaml)
    expect(natural).toMatchObject({ block_size: 128, dampening_frac: 0.02, actorder: null, scheme: 'MXFP4' })
    const [[, ordered]] = modifiersOf(recipe('gptq-best').yaml)
    expect(ordered).toMatchObject({ actorder: 'static' })
    expect(recipe('gptq', { options: { scales: 'static' } }).deviations).toHaveLength(1)
    expect(recipe('gptq').deviations.join()).toContain('scales fresh')
  })

  test('SmoothQuant comes before what quantizes, with its strength', () => {
    const modifiers = modifiersOf(recipe('smoothquant+gptq', { options: { alpha: 0.85 } }).yaml)
    expect(modifiers[0]).toEqual(['SmoothQuantModifier', { smoothing_strength: 0.85 }])
    expect(modifiers[1][0]).toBe('GPTQModifier')
  })

  test('AWQ has its grid and duo scaling, and says that clips are missing', () => {
    const awq = recipe('awq', { options: { points: 40, variant: 'duo' } })
    expect(modifiersOf(awq.yaml)[0]).toEqual(['AWQModifier', { n_grid: 40, duo_scaling: true }])
    expect(awq.deviations.join()).toContain('clip search')
    expect(recipe('awq', { options: { clip: 'off' } }).deviations.join()).not.toContain('clip search')
  })

  test('QuaRot names the kind of its matrix and the size of its blocks', () => {
    const rotation = (options: Record<string, string>) => modifiersOf(recipe('quarot', { options }).yaml)[0]
    expect(rotation({})).toEqual([
      'SpinQuantModifier',
      { rotations: ['R1', 'R2', 'R4'], transform_type: 'random-hadamard' },
    ])
    expect(rotation({ signs: 'off' })[1]).toMatchObject({ transform_type: 'hadamard' })
    expect(rotation({ matrix: 'orthogonal' })[1]).toMatchObject({ transform_type: 'random-matrix' })
    expect(rotation({ span: '64' })[1]).toMatchObject({ transform_block_size: 64 })
    expect(rotation({ span: 'head' })[1]).toMatchObject({ rotations: ['R2'] })
  })

  test('rotations inside blocks are those of the scale', () => {
    const blockSize = (options: Record<string, string>, setting = 'W4A4') =>
      modifiersOf(recipe('mr-gptq', { options, setting: parseSetting(setting) }).yaml)[0][1].transform_block_size
    expect(blockSize({})).toBe(32)
    expect(blockSize({}, 'nvfp4/nvfp4')).toBe(16)
    expect(blockSize({ size: '128' })).toBe(128)
  })

  test('what does not exist there is said, and nothing pretends to be it', () => {
    const flatquant = recipe('flatquant')
    expect(namesOf(flatquant.yaml)).toEqual(['QuantizationModifier'])
    expect(flatquant.deviations.join()).toContain('FlatQuant does not exist')
    expect(recipe('spinquant').deviations.join()).toContain('not learned')
    expect(recipe('low-rank').deviations.join()).toContain('rank 32')
  })

  test.each([
    ['flatquant', 'rtn', 'Plain rounding (RTN), not FlatQuant: the nearest that LLM Compressor has.'],
    ['block-affine+gptq', 'gptq', 'GPTQ, not Block affine*: the nearest that LLM Compressor has.'],
    ['low-rank', 'rtn', 'Plain rounding (RTN), not Low rank: the nearest'],
    ['spinquant', 'quarot', 'QuaRot, not SpinQuant: the nearest'],
    ['quarot', null, 'QuaRot, measured under W4A4 on model.layers.2.self_attn.q_proj'],
    ['awq+gptq', null, 'AWQ*, measured under W4A4'],
  ])('%s runs %s, and the first lines say so', (id, nearest, about) => {
    const made = recipe(id)
    expect(made.nearest).toBe(nearest)
    expect(made.yaml.replaceAll(/\n#\s+/g, ' ').indexOf(about)).toBe(2)
  })

  test.each([
    ['rtn', 'W4A4', false],
    ['flatquant', 'W4A4', false],
    ['quarot', 'W4A4', false],
    ['gptq', 'W4A4', true],
    ['smoothquant', 'W4A4', true],
    ['rtn', 'nvfp4/nvfp4', true],
    ['rtn', 'W4A8KV8', true],
    ['rtn', 'nvfp4/16', false],
  ])('%s under %s loads a data set: %s', (id, setting, loads) => {
    const known = KV_SETTINGS.find((each) => each.id === setting)
    const { python, deviations, needsRows } = recipe(id, { setting: known ?? parseSetting(setting) })
    expect(needsRows).toBe(loads)
    expect(python.includes('load_dataset')).toBe(loads)
    expect(python.includes('DATASET')).toBe(loads)
    expect(python.includes('pipeline="datafree"')).toBe(!loads)
    expect(deviations[0]).toContain(loads ? 'on calibration data of your choice' : 'without calibration data')
  })
})

describe('formats', () => {
  const quantizing = (setting: string) => modifiersOf(recipe('rtn', { setting: parseSetting(setting) }).yaml)[0][1]

  test.each([
    ['W4A4', 'MXFP4'],
    ['W4A16', 'MXFP4A16'],
    ['W8A8', 'MXFP8'],
    ['mxfp8_e4m3/16', 'MXFP8A16'],
    ['nvfp4/nvfp4', 'NVFP4'],
    ['nvfp4/16', 'NVFP4A16'],
    ['int4(group=128)/16', 'W4A16'],
    ['int4(group=128,scheme=asym)/16', 'W4A16_ASYM'],
    ['int8/int8', 'W8A8'],
  ])('%s is the preset %s', (setting, preset) => {
    expect(quantizing(setting)).toMatchObject({ scheme: preset, targets: ['Linear'] })
  })

  test('W4A8 has no preset and is written out', () => {
    expect(quantizing('W4A8')).toEqual({
      ignore: ['lm_head'],
      config_groups: {
        group_0: {
          targets: ['Linear'],
          weights: expect.objectContaining({ num_bits: 4, type: 'float', group_size: 32, dynamic: false }),
          input_activations: expect.objectContaining({ num_bits: 8, type: 'float', group_size: 32, dynamic: true }),
        },
      },
    })
  })

  test('16-bit activations of a written-out scheme stay as they are', () => {
    const { config_groups } = quantizing('int4(group=32)/16') as { config_groups: { group_0: unknown } }
    expect(config_groups.group_0).toMatchObject({
      weights: { num_bits: 4, type: 'int', strategy: 'group', group_size: 32 },
      input_activations: null,
    })
  })

  test('a quantized cache becomes an FP8 cache where that is near, and is left out where it is not', () => {
    const [w4a8kv8, w4a4kv4] = ['W4A8KV8', 'W4A4KV4'].map((id) => {
      const setting = KV_SETTINGS.find((each) => each.id === id)
      return recipe('rtn', { setting: setting ?? SETTINGS[0] })
    })
    expect(modifiersOf(w4a8kv8.yaml)[0][1].kv_cache_scheme).toMatchObject({ num_bits: 8, type: 'float' })
    expect(w4a8kv8.deviations.join()).toContain('FP8 with one scale per tensor')
    expect(modifiersOf(w4a4kv4.yaml)[0][1]).not.toHaveProperty('kv_cache_scheme')
    expect(w4a4kv4.deviations.join()).toContain('leaves the cache as it is')
  })

  test.each([
    [{ scaleRule: 'floor' as const }, 'Scale rule: measured with floor'],
    [{ rounding: 'half-away' as const }, 'Rounding: measured with half-away'],
    [{ blockSize: 16 }, 'blocks of 16'],
    [{ preScale: { factor: 0.75, variant: 'exact' as const } }, 'Pre-scale 3/4'],
  ])('%o is a deviation', (change, said) => {
    expect(recipe('rtn', { choices: { ...EVEN, ...change } }).deviations.join()).toContain(said)
  })

  test('choices that reach nothing are no deviation', () => {
    const choices = { ...STANDARD_MX, preScale: { factor: 0.75, variant: 'exact' as const } }
    expect(recipe('rtn', { choices, setting: parseSetting('int8(scheme=sym-half)/16') }).deviations).toHaveLength(1)
    expect(recipe('rtn', { choices, setting: parseSetting('W8A8') }).deviations.join()).not.toContain('Pre-scale')
  })

  test('formats that compressed-tensors does not have become the nearest one, and that is said', () => {
    const six = recipe('rtn', { setting: parseSetting('mxfp6_e3m2/mxfp6_e3m2') })
    expect(modifiersOf(six.yaml)[0][1]).toMatchObject({ scheme: 'MXFP8' })
    expect(six.deviations.filter((said) => said.includes('no six-bit floats'))).toHaveLength(2)
  })

  test('weights in 16 bits have no recipe', () => {
    expect(() => recipe('rtn', { setting: parseSetting('16/mxfp4') })).toThrow(
      'recipe: expected a setting with quantized weights, found 16/mxfp4',
    )
    expect(() => recipe('rtn', { setting: parseSetting('bf16/mxfp4') })).toThrow(/RE-01|quantized weights/)
  })
})

test('the script holds the recipe as text that Python reads back unchanged', () => {
  const layer = 'odd """ name \\ with quotes'
  const { yaml, python } = recipe('rtn', { layer })
  const literal = /RECIPE = """\\\n([\s\S]*?)(?<!\\)"""/.exec(python)?.[1] ?? ''
  expect(literal.replaceAll('\\"', '"').replaceAll('\\\\', '\\')).toBe(yaml)
  expect(yaml).toContain(layer)
})
