import { describe, expect, test } from 'vitest'
import { logicalTensors } from '../../../src/io/packing/recognise'
import type { TensorView } from '../../../src/io/tensor-view'
import { type Listed, views } from './listed'

const facts = ({ name, dtype, shape }: TensorView) => `${name} ${dtype} [${shape.join(', ')}]`

describe('names, dtypes and shapes say what is packed', () => {
  const cases: [string, Listed[], string[]][] = [
    [
      'blocks of one matrix',
      [
        ['w_scales', 'U8', [6, 2]],
        ['w_blocks', 'U8', [6, 2, 16]],
      ],
      ['w MXFP4 [6, 64]'],
    ],
    [
      'blocks with E8M0 scales',
      [
        ['a.blocks', 'U8', [6, 2, 16]],
        ['a.scales', 'F8_E8M0', [6, 2]],
      ],
      ['a MXFP4 [6, 64]'],
    ],
    [
      'MXFP4 as ModelOpt has it',
      [
        ['w', 'U8', [4, 32]],
        ['w_scale', 'U8', [4, 2]],
      ],
      ['w MXFP4 [4, 64]'],
    ],
    [
      'a stack of MXFP4',
      [
        ['w_packed', 'U8', [3, 4, 32]],
        ['w_scale', 'U8', [3, 4, 2]],
      ],
      ['w MXFP4 [3, 4, 64]'],
    ],
    [
      'a short last block',
      [
        ['w_packed', 'U8', [4, 20]],
        ['w_scale', 'U8', [4, 2]],
      ],
      ['w MXFP4 [4, 40]'],
    ],
    [
      'FP6 elements',
      [
        ['w', 'F6_E3M2', [4, 32]],
        ['w_scale', 'F8_E8M0', [4, 1]],
      ],
      ['w MXFP6 [4, 32]'],
    ],
    [
      'F4 under E4M3 alone',
      [
        ['w', 'F4', [4, 32]],
        ['w_scale', 'F8_E4M3', [4, 2]],
      ],
      ['w NVFP4 [4, 32]'],
    ],
    [
      'FP8 with one scale',
      [
        ['w', 'F8_E4M3', [4, 32]],
        ['w_scale', 'F32', []],
      ],
      ['w FP8 [4, 32]'],
    ],
    [
      'FP8 with a scale per row',
      [
        ['w', 'F8_E5M2', [4, 32]],
        ['w_scale', 'BF16', [4]],
      ],
      ['w FP8 [4, 32]'],
    ],
    [
      'FP8 in blocks of 128, the last one short, under the name of DeepSeek',
      [
        ['w', 'F8_E4M3', [200, 130]],
        ['w_scale_inv', 'F32', [2, 2]],
      ],
      ['w FP8 [200, 130]'],
    ],
    [
      'INT8 with zero points',
      [
        ['w', 'I8', [4, 32]],
        ['w_scale', 'F32', [4, 1]],
        ['w_zero_point', 'I8', [4, 1]],
      ],
      ['w INT8 [4, 32]'],
    ],
    [
      'INT4 with zero points and an order of columns',
      [
        ['w_packed', 'I32', [4, 8]],
        ['w_scale', 'F16', [4, 2]],
        ['w_zero_point', 'I32', [1, 2]],
        ['w_g_idx', 'I32', [64]],
        ['w_shape', 'I64', [2]],
      ],
      ['w INT4 [4, 64]'],
    ],
    [
      'what is not packed',
      [
        ['x_blocks', 'F32', [4, 2, 16]],
        ['w', 'BF16', [4, 4]],
        ['w_scale', 'F32', [4]],
        ['codes', 'U8', [4, 4]],
        ['n_blocks', 'U8', [4]],
        ['y', 'F8_E4M3', [4, 4]],
        ['q.qweight', 'I32', [4, 4]],
      ],
      [
        ...['x_blocks F32 [4, 2, 16]', 'w BF16 [4, 4]', 'w_scale F32 [4]', 'codes U8 [4, 4]', 'n_blocks U8 [4]'],
        ...['y F8_E4M3 [4, 4]', 'q.qweight I32 [4, 4]'],
      ],
    ],
  ]
  test.each(cases)('%s', (_what, listed, expected) => {
    const { tensors, refusals } = logicalTensors(views(listed))
    expect(refusals).toEqual([])
    expect(tensors.map(facts)).toEqual(expected)
  })

  test('the config says how many bits packed integers have', () => {
    const listed = views([
      ['w_packed', 'I32', [4, 8]],
      ['w_scale', 'F32', [4, 1]],
    ])
    const config = (num_bits: number) => ({ config_groups: { group_0: { weights: { type: 'int', num_bits } } } })
    const listedAs = (quantizationConfig: unknown) => logicalTensors(listed, { quantizationConfig }).tensors.map(facts)
    expect(listedAs(config(8))).toEqual(['w INT8 [4, 32]'])
    for (const other of [config(4), config(3), null, 'x', { config_groups: 7 }, { config_groups: { a: null } }]) {
      expect(listedAs(other)).toEqual(['w INT4 [4, 64]'])
    }
    const [assumed] = logicalTensors(listed).tensors
    expect(assumed.storage).toMatchObject({ note: '4 bits assumed: neither a config nor a shape says how many' })
  })

  test('bytes of all parts are counted', () => {
    const { tensors } = logicalTensors(
      views([
        ['w_blocks', 'U8', [6, 2, 16]],
        ['w_scales', 'U8', [6, 2]],
      ]),
    )
    expect(tensors[0]).toMatchObject({ byteOffset: 0, byteLength: 204 })
  })
})

describe('what cannot be put together is refused by name, and its parts stay', () => {
  const cases: [string, Listed[], string, string][] = [
    [
      'no scales',
      [['w_packed', 'U8', [4, 32]]],
      'PK-01',
      'tensor "w_packed": expected "w_scale" beside it, found none.',
    ],
    ['no scales of blocks', [['w_blocks', 'U8', [4, 2, 16]]], 'PK-01', 'expected "w_scales" beside it, found none.'],
    [
      'no scale of the tensor',
      [
        ['w', 'U8', [4, 32]],
        ['w_scale', 'F8_E4M3', [4, 4]],
      ],
      'PK-01',
      'expected "w_scale_2"',
    ],
    [
      'no divisor',
      [
        ['w_packed', 'U8', [4, 32]],
        ['w_scale', 'F8_E4M3', [4, 4]],
      ],
      'PK-01',
      'expected "w_global_scale"',
    ],
    ['FP-Quant without scales', [['a.qweight', 'U8', [4, 32]]], 'PK-01', 'expected "a.scales" beside it'],
    [
      'scales in I64',
      [
        ['w_packed', 'U8', [4, 32]],
        ['w_scale', 'I64', [4, 2]],
      ],
      'PK-02',
      'tensor "w_scale": dtype: expected one of U8, F8_E8M0, F8_E4M3, found I64.',
    ],
    [
      'block scales in F32',
      [
        ['w_blocks', 'U8', [4, 2, 16]],
        ['w_scales', 'F32', [4, 2]],
      ],
      'PK-02',
      'found F32.',
    ],
    [
      'too few scales',
      [
        ['w_packed', 'U8', [4, 32]],
        ['w_scale', 'U8', [4, 1]],
      ],
      'PK-03',
      'tensor "w_scale": shape: expected [4, 2] beside "w_packed" [4, 32], found [4, 1].',
    ],
    [
      'scales turned',
      [
        ['w', 'F8_E4M3', [64, 32]],
        ['w_scale', 'U8', [1, 64]],
      ],
      'PK-03',
      'expected [64, 1]',
    ],
    [
      'blocks of 8',
      [
        ['w_blocks', 'U8', [4, 2, 8]],
        ['w_scales', 'U8', [4, 2]],
      ],
      'PK-03',
      'expected [4, 2, 16]',
    ],
    [
      'FP8 scales that divide nothing',
      [
        ['w', 'F8_E4M3', [4, 32]],
        ['w_scale', 'F32', [3, 1]],
      ],
      'PK-03',
      'tensor "w_scale": shape: expected [1] or [4, 1] or [1, 1] beside "w" [4, 32], found [3, 1].',
    ],
    [
      'a stack of FP8',
      [
        ['w', 'F8_E4M3', [2, 4, 32]],
        ['w_scale', 'F32', [2]],
      ],
      'PK-03',
      'expected 2 axes',
    ],
    [
      'groups that do not fit',
      [
        ['w_packed', 'I32', [4, 4]],
        ['w_scale', 'F32', [4, 3]],
      ],
      'PK-03',
      'expected [4, 1] or',
    ],
    [
      'nothing',
      [
        ['w_packed', 'U8', [0, 32]],
        ['w_scale', 'U8', [0, 2]],
      ],
      'PK-03',
      'at least one element, found [0, 32].',
    ],
    [
      'half a byte per row',
      [
        ['w', 'F4', [2, 33]],
        ['w_scale', 'F8_E8M0', [2, 2]],
      ],
      'PK-03',
      'expected [2, 36]',
    ],
    [
      'a name taken',
      [
        ['w', 'F32', [1]],
        ['w_blocks', 'U8', [4, 2, 16]],
        ['w_scales', 'U8', [4, 2]],
      ],
      'PK-05',
      'tensor "w_blocks" stands for "w": expected no other tensor of that name, found one in F32.',
    ],
  ]
  test.each(cases)('%s', (_what, listed, code, message) => {
    const given = views(listed)
    const { tensors, refusals } = logicalTensors(given)
    expect(tensors).toEqual(given)
    expect(refusals).toHaveLength(1)
    expect(refusals[0].error).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('two packed tensors cannot share a part', () => {
    const given = views([
      ['a.blocks', 'U8', [4, 2, 16]],
      ['a.scales', 'U8', [4, 2]],
      ['a.qweight', 'U8', [4, 32]],
      ['a.weight_global_scale', 'F32', [1]],
    ])
    const { tensors, refusals } = logicalTensors(given)
    expect(tensors.map(facts)).toEqual(['a MXFP4 [4, 64]', 'a.qweight U8 [4, 32]', 'a.weight_global_scale F32 [1]'])
    const message =
      'tensor "a.qweight" stands for "a.weight": expected parts of its own, found "a.scales" in use already.'
    expect(refusals.map(({ error }) => error.message)).toEqual([message])
  })

  test('one bad tensor does not spoil the others', () => {
    const { tensors, refusals } = logicalTensors(
      views([
        ['a_packed', 'U8', [4, 32]],
        ['b_packed', 'U8', [4, 32]],
        ['b_scale', 'U8', [4, 2]],
      ]),
    )
    expect([tensors.map(facts), refusals.map(({ name }) => name)]).toEqual([
      ['a_packed U8 [4, 32]', 'b MXFP4 [4, 64]'],
      ['a_packed'],
    ])
  })

  test.each([
    ['mxscope.pre_scale.w', '0.4 exact'],
    ['mxscope.pre_scale.w', '0.75'],
    ['mxscope.pre_scale.w', '0.75 exact now'],
    ['mxscope.pre_scale.w', 'NaN exact'],
  ])('metadata %s = %s', (key, value) => {
    const given = views([
      ['w_blocks', 'U8', [4, 2, 16]],
      ['w_scales', 'U8', [4, 2]],
    ])
    const { refusals } = logicalTensors(given, { metadata: { [key]: value } })
    expect(refusals.map(({ error }) => error.code)).toEqual(['PK-04'])
  })

  test.each(['1', '0x00000000', '0x7F800000', '0x3F8', '0xBF800000'])('a scale of the tensor of %s', (value) => {
    const given = views([
      ['w_packed', 'U8', [4, 32]],
      ['w_scale', 'F8_E4M3', [4, 4]],
      ['w_global_scale', 'F32', [1]],
    ])
    const { refusals } = logicalTensors(given, { metadata: { 'mxscope.tensor_scale.w': value } })
    expect(refusals[0].error.message).toContain('expected the bits of a positive f32')
  })
})
