import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import {
  activationCandidates,
  checkWidths,
  explainNoActivations,
  suggestWeight,
  weightObstacle,
} from '../../src/io/pair-layer'
import { readHeader } from '../../src/io/read-header'
import type { Dtype, TensorView } from '../../src/io/tensor-view'
import { recordingSource } from './recording-source'

function tensor(name: string, shape: readonly number[], dtype: Dtype = 'BF16'): TensorView {
  return { name, dtype, shape, byteOffset: 0, byteLength: 0 }
}

async function open(path: string) {
  const file = readFileSync(new URL(`../../${path}`, import.meta.url))
  return (await readHeader(recordingSource(file))).tensors
}

const names = (views: readonly TensorView[]) => views.map((view) => view.name)

/** A Llama-like checkpoint of `layers` layers, names in the order a writer sorts them: 10 before 2. */
function checkpoint(layers: number): TensorView[] {
  const perLayer = (layer: string) => [
    tensor(`model.layers.${layer}.input_layernorm.weight`, [64]),
    tensor(`model.layers.${layer}.mlp.down_proj.weight`, [64, 172]),
    tensor(`model.layers.${layer}.mlp.gate_proj.weight`, [172, 64]),
    tensor(`model.layers.${layer}.self_attn.k_proj.weight`, [32, 64]),
    tensor(`model.layers.${layer}.self_attn.o_proj.weight`, [64, 64]),
    tensor(`model.layers.${layer}.self_attn.q_proj.weight`, [64, 64]),
  ]
  const order = Array.from({ length: layers }, (_, i) => String(i)).sort()
  return [
    tensor('lm_head.weight', [512, 64]),
    tensor('model.embed_tokens.weight', [512, 64]),
    ...order.flatMap(perLayer),
  ]
}

test('the weight opened first is q_proj of layer 8, or the first q_proj of a smaller model', () => {
  expect(suggestWeight(checkpoint(12))?.name).toBe('model.layers.8.self_attn.q_proj.weight')
  expect(suggestWeight(checkpoint(5))?.name).toBe('model.layers.0.self_attn.q_proj.weight')
  const laterShard = checkpoint(12).filter(({ name }) => /layers\.(2|10|11)\./.test(name))
  expect(suggestWeight(laterShard)?.name).toBe('model.layers.2.self_attn.q_proj.weight')
})

test('without q_proj: the first attention projection, then the largest matrix', () => {
  const gpt = [
    tensor('wte.weight', [512, 64]),
    tensor('h.10.attn.c_attn.weight', [192, 64]),
    tensor('h.2.attn.c_attn.weight', [192, 64]),
  ]
  expect(suggestWeight(gpt)?.name).toBe('h.2.attn.c_attn.weight')
  const mlp = [
    tensor('small', [64, 64]),
    tensor('big', [64, 128]),
    tensor('norm', [9999]),
    tensor('stack', [8, 64, 128]),
  ]
  expect(suggestWeight(mlp)?.name).toBe('big')
})

test('a weight whose own input is in the file comes before all others', () => {
  const tensors = [...checkpoint(12), tensor('model.layers.3.mlp.gate_proj.input', [100, 64])]
  expect(suggestWeight(tensors)?.name).toBe('model.layers.3.mlp.gate_proj.weight')
})

test('a matrix that is named like activations is not opened as a weight while there is another', () => {
  expect(suggestWeight([tensor('x', [9000, 64]), tensor('w', [32, 64])])?.name).toBe('w')
  expect(suggestWeight([tensor('x', [9000, 64])])?.name).toBe('x')
  // "input" and "hidden" inside the name of a parameter do not make it activations.
  expect(suggestWeight([tensor('a', [32, 64]), tensor('hidden_fc.weight', [64, 64])])?.name).toBe('hidden_fc.weight')
})

test('a file without a matrix of real numbers has no weight', () => {
  expect(suggestWeight([])).toBe(null)
  expect(suggestWeight([tensor('ids', [64, 64], 'I64'), tensor('bias', [64]), tensor('thin', [64, 16])])).toBe(null)
})

test('tensors that cannot be a weight are greyed with the reason', () => {
  expect(weightObstacle(tensor('w', [4, 32]))).toBe(null)
  expect(weightObstacle(tensor('w', [4, 31]))).toBe('input dimension 31 is less than one block of 32')
  expect(weightObstacle(tensor('w', [64]))).toBe('1 dimensions instead of 2')
  expect(weightObstacle(tensor('w', [64, 64], 'U8'))).toBe('dtype U8 cannot be quantized')
  expect(weightObstacle(tensor('w', [0, 64]))).toBe('it has no elements')
})

test('the layer files of this repository pair up', async () => {
  const golden = await open('test/golden/layers/layer-a.safetensors')
  const weight = suggestWeight(golden)
  expect(weight?.name).toBe('layer.weight')
  if (weight) expect(names(activationCandidates(golden, weight))).toEqual(['calib.input', 'eval.input'])

  const llama = await open('public/layers/wt2llama-L2-q_proj.safetensors')
  const query = suggestWeight(llama)
  expect(query?.name).toBe('model.layers.2.self_attn.q_proj.weight')
  if (query) expect(names(activationCandidates(llama, query))).toEqual(['model.layers.2.self_attn.q_proj.input'])
})

test('candidates come best match first', () => {
  const weight = tensor('l.2.attn.k_proj.weight', [32, 64])
  const tensors = [
    tensor('l.3.attn.k_proj.input', [10, 64]),
    tensor('l.3.attn.k_proj.weight', [32, 64]),
    tensor('something', [2, 5, 64]),
    tensor('hidden_states.10', [10, 64]),
    tensor('hidden_states.9', [10, 64]),
    tensor('l.2.attn.q_proj.weight', [64, 64]),
    tensor('l.2.attn.q_proj.input', [10, 64]),
    weight,
    tensor('l.2.attn.k_proj.input', [2, 5, 64], 'F16'),
    tensor('act', [10, 63]),
    tensor('norm', [64]),
    tensor('x', [10, 64], 'I32'),
    tensor('matrix', [64, 64]),
  ]
  expect(names(activationCandidates(tensors, weight))).toEqual([
    'l.2.attn.k_proj.input',
    'l.2.attn.q_proj.input',
    'hidden_states.9',
    'hidden_states.10',
    'l.3.attn.k_proj.input',
    'something',
  ])
})

test('the other weights of a checkpoint are never taken for activations', () => {
  const tensors = checkpoint(3)
  for (const weight of tensors) expect(activationCandidates(tensors, weight)).toEqual([])
  const bare = [tensor('block.q_proj', [64, 64]), tensor('block.fc1', [128, 64])]
  expect(activationCandidates(bare, bare[0])).toEqual([])
})

test('a nameless matrix is a candidate only when nothing else fits', () => {
  const [a, b] = [tensor('a', [64, 64]), tensor('b', [128, 64])]
  expect(names(activationCandidates([a, b], a))).toEqual(['b'])
  expect(names(activationCandidates([a, b, tensor('x', [7, 64])], a))).toEqual(['x'])
})

test("a module's own input fits a weight stored as [in, out]", () => {
  const weight = tensor('h.0.attn.c_attn.weight', [64, 192])
  const own = tensor('h.0.attn.c_attn.input', [10, 64])
  expect(names(activationCandidates([weight, own, tensor('x', [10, 64])], weight))).toEqual([own.name])
})

test('when nothing fits, says what was looked for and what was found', () => {
  const weight = tensor('m.q_proj.weight', [64, 4096])
  const wanted =
    'No tensor here can be the activations of "m.q_proj.weight": expected a floating-point tensor with last axis 4096, found'
  const down = tensor('m.down_proj.weight', [64, 11008])
  const wide = tensor('m.down_proj.input', [10, 11008])
  expect(explainNoActivations([weight, down, wide], weight)).toBe(`${wanted} 11008 in "m.down_proj.input".`)
  const many = [1, 2, 3, 4, 5].map((n) => tensor(`act${n === 1 ? '' : `.${n}`}`, [10, n]))
  expect(explainNoActivations([weight, ...many], weight)).toBe(
    `${wanted} 1 in "act", 2 in "act.2", 3 in "act.3" and 2 more.`,
  )
  expect(explainNoActivations([weight, tensor('x', [10, 4096], 'I64')], weight)).toBe(`${wanted} I64 in "x".`)
  expect(explainNoActivations([weight, down, tensor('norm', [4096])], weight)).toBe(
    `${wanted} none among the weights and other parameters.`,
  )
})

test('activations of another width are refused, naming the weight they fit', () => {
  const weight = tensor('m.q_proj.weight', [64, 4096])
  const down = tensor('m.down_proj.weight', [64, 11008])
  expect(() => checkWidths(tensor('x', [10, 4096]), weight)).not.toThrow()
  const refused = () => checkWidths(tensor('x', [10, 11008]), weight, [weight, down])
  expect(refused).toThrow(InputError)
  expect(refused).toThrow(
    'activations "x": expected width 4096 (columns of m.q_proj.weight), found 11008. Did you mean m.down_proj?',
  )
  expect(() => checkWidths(tensor('x', [10, 7]), weight)).toThrow(/found 7\.$/)
})

test('pairing 100,000 tensors takes no quadratic time', () => {
  const tensors = checkpoint(17_000)
  const started = performance.now()
  const weight = suggestWeight(tensors)
  expect(weight?.name).toBe('model.layers.8.self_attn.q_proj.weight')
  if (weight) activationCandidates(tensors, weight)
  // 0.2 s on an idle core; the quadratic form takes minutes.
  expect(performance.now() - started).toBeLessThan(10_000)
})
