import { describe, expect, it } from 'vitest'
import { blobSource } from '../../src/io/byte-source'
import { headerHash } from '../../src/io/header-hash'
import type { TensorView } from '../../src/io/tensor-view'
import type { OpenFile } from '../../src/store/state'
import {
  byteText,
  kindCounts,
  type LineOptions,
  nameParts,
  searchRows,
  shapeText,
  type TensorRow,
  tensorKind,
  tensorLines,
  tensorRows,
} from '../../src/store/tensor-rows'
import { tensor } from './fake-sources'

const file: OpenFile = {
  id: 'f',
  kind: 'safetensors',
  url: null,
  refusals: [],
  shards: null,
  parts: [],
  name: 'f.safetensors',
  byteLength: 1,
  metadata: {},
  builtIn: null,
  headerHash: '',
  tensors: [
    tensor('layers.10.q_proj.weight', [64, 64]),
    tensor('layers.9.q_proj.weight', [64, 64]),
    tensor('norm.weight', [64]),
    tensor('ids', [4, 64], 'I64'),
  ],
}

const ALL = { files: 1, isClosed: () => false, isDetailed: () => false }
const names = (rows: readonly TensorRow[]) => rows.map((row) => row.tensor)

describe('the tensor list', () => {
  it('orders numbers in names as numbers', () => {
    expect(names(tensorRows([file]))).toEqual([
      'ids',
      'norm.weight',
      'layers.9.q_proj.weight',
      'layers.10.q_proj.weight',
    ])
  })

  it('says why a tensor cannot be a weight', () => {
    const obstacles = Object.fromEntries(tensorRows([file]).map((row) => [row.tensor, row.obstacle]))
    expect(obstacles['norm.weight']).toBe('1 dimensions instead of 2')
    expect(obstacles.ids).toContain('I64')
    expect(obstacles['layers.9.q_proj.weight']).toBeNull()
  })

  it('bars a packed tensor that could not be put together, by the reason', () => {
    const error = { kind: 'input', code: 'PK-01', message: 'expected "w_scale" beside it' } as const
    const refused = { ...file, refusals: [{ name: 'layers.9.q_proj.weight', error }] }
    const row = tensorRows([refused]).find(({ tensor }) => tensor === 'layers.9.q_proj.weight')
    expect(row?.obstacle).toBe('expected "w_scale" beside it')
  })

  it('offers a stack of matrices, one of which is the weight', () => {
    const stack = { ...file, tensors: [tensor('experts.gate_proj', [8, 64, 64])] }
    expect(tensorRows([stack])[0]).toMatchObject({ kind: 'weights', stack: 8, obstacle: null, shape: '8 × 64 × 64' })
  })

  it('finds names by all words, whatever their case', () => {
    expect(names(searchRows(tensorRows([file]), ' Q_PROJ 10', null))).toEqual(['layers.10.q_proj.weight'])
  })

  it('keeps one kind, and counts them', () => {
    const rows = tensorRows([{ ...file, tensors: [...file.tensors, tensor('layers.9.q_proj.input', [8, 64])] }])
    expect(kindCounts(rows)).toEqual([
      { kind: 'weights', count: 2 },
      { kind: 'norms', count: 1 },
      { kind: 'activations', count: 1 },
      { kind: 'other', count: 1 },
    ])
    expect(names(searchRows(rows, '', 'activations'))).toEqual(['layers.9.q_proj.input'])
    expect(names(searchRows(rows, '10', 'activations'))).toEqual([])
  })

  it.each<[string, readonly number[], TensorView['dtype'], string]>([
    ['model.layers.0.mlp.up_proj.weight', [64, 64], 'BF16', 'weights'],
    ['model.layers.0.input_layernorm.weight', [64], 'BF16', 'norms'],
    ['transformer.h.0.ln_1.weight', [64], 'F32', 'norms'],
    ['model.layers.0.mlp.up_proj.bias', [64], 'F32', 'other'],
    ['model.embed_tokens.weight', [512, 64], 'F16', 'weights'],
    ['up_proj.weight_scale', [64, 2], 'U8', 'other'],
    ['layer.input', [512, 64], 'F32', 'activations'],
  ])('takes %s %o %s for one of the %s', (name, shape, dtype, kind) => {
    expect(tensorKind(tensor(name, shape, dtype))).toBe(kind)
  })

  it('lists a hundred thousand tensors without delay', () => {
    const layers = Array.from({ length: 12_500 }, (_, i) =>
      ['q', 'k', 'v', 'o', 'gate', 'up', 'down', 'norm'].map((part) =>
        tensor(`model.layers.${i}.block.${part}.weight`, [64, 64]),
      ),
    )
    const big = [{ ...file, tensors: layers.flat() }]
    const start = performance.now()
    const lines = tensorLines(searchRows(tensorRows(big), '', 'weights'), { ...ALL, isClosed: () => true })
    expect(lines).toHaveLength(12_500)
    // Half a second on an idle machine; the bound is for one that is not.
    expect(performance.now() - start).toBeLessThan(10_000)
    const again = performance.now()
    expect(tensorRows(big)).toBe(tensorRows([...big]))
    expect(performance.now() - again).toBeLessThan(100)
  })
})

describe('the lines', () => {
  const texts = (rows: readonly TensorRow[], options: Partial<LineOptions> = {}) =>
    tensorLines(rows, { ...ALL, ...options }).map((line) =>
      line.kind === 'file' || line.kind === 'module' ? `${line.kind} ${line.name}` : `${line.kind} ${line.row.tensor}`,
    )
  const layer = {
    ...file,
    tensors: ['self_attn.q_proj.weight', 'self_attn.k_proj.weight', 'norm.weight'].map((name) =>
      tensor(`model.layers.2.${name}`, [64, 64]),
    ),
  }

  it('name the files where there are several, each over its own tensors', () => {
    const twin = { ...file, id: 'g', name: 'g.safetensors' }
    const rows = searchRows(tensorRows([file, twin]), 'layers', null)
    const own = ['tensor layers.9.q_proj.weight', 'tensor layers.10.q_proj.weight']
    expect(texts(rows, { files: 2 })).toEqual(['file f.safetensors', ...own, 'file g.safetensors', ...own])
    expect(texts(rows)).toEqual([...own, ...own])
  })

  it('name a module over its tensors, but not over one alone', () => {
    expect(texts(tensorRows([layer]))).toEqual([
      'tensor model.layers.2.norm.weight',
      'module model.layers.2.self_attn',
      'tensor model.layers.2.self_attn.k_proj.weight',
      'tensor model.layers.2.self_attn.q_proj.weight',
    ])
  })

  it('leave out what is in a closed module, and put details below their tensor', () => {
    expect(texts(tensorRows([layer]), { isClosed: (key) => key === 'f model.layers.2.self_attn.' })).toEqual([
      'tensor model.layers.2.norm.weight',
      'module model.layers.2.self_attn',
    ])
    const isDetailed = (key: string) => key === 'f model.layers.2.norm.weight'
    expect(texts(tensorRows([layer]), { isDetailed })[1]).toBe('details model.layers.2.norm.weight')
  })
})

describe('names, shapes and sizes', () => {
  it.each([
    ['model.layers.2.self_attn.q_proj.weight', ['model.', 'layers.2.', 'self_attn.', 'q_proj.weight']],
    ['h.0.attn.c_attn.weight', ['', 'h.0.', 'attn.', 'c_attn.weight']],
    ['layers.2.weight', ['', '', 'layers.', '2.weight']],
    ['model.embed_tokens.weight', ['', '', 'model.', 'embed_tokens.weight']],
    ['x', ['', '', '', 'x']],
  ])('cuts %s between its layer number and its end', (name, parts) => {
    const { before, block, middle, end } = nameParts(name)
    expect([before, block, middle, end]).toEqual(parts)
    expect(before + block + middle + end).toBe(name)
  })

  it('writes shapes and sizes', () => {
    expect([shapeText([4096, 64]), shapeText([])]).toEqual(['4096 × 64', 'scalar'])
    expect([0, 999, 1000, 9_940, 33_554_432, 9_060_000_000].map(byteText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '9.9 kB',
      '34 MB',
      '9.1 GB',
    ])
  })
})

describe('headerHash', () => {
  const safetensors = (header: string, rest = '') => {
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(header.length), true)
    return new Blob([length.buffer, header, rest])
  }

  it('is the digest of the header alone', async () => {
    // printf '{}' | sha256sum
    expect(await headerHash(blobSource('x', safetensors('{}', 'values')))).toBe('44136fa355b3')
    expect(await headerHash(blobSource('x', safetensors('{}', 'other')))).toBe('44136fa355b3')
  })

  it('is empty for a file without a header', async () => {
    expect(await headerHash(blobSource('x', new Blob(['1234'])))).toBe('')
  })
})
