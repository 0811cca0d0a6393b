import { expect, test } from 'vitest'
import { normGainOf, storesGainMinusOne } from '../../src/io/norm-gain'
import type { TensorView } from '../../src/io/tensor-view'

const view = (name: string, shape: readonly number[]): TensorView => ({
  name,
  dtype: 'BF16',
  shape,
  byteOffset: 0,
  byteLength: 2 * shape.reduce((product, axis) => product * axis, 1),
})

/** The norms of a block of width 64 and of its neighbour, and the final one. */
const checkpoint = (prefix: string, norms: readonly string[], final: string) =>
  [`${prefix}1.`, `${prefix}11.`]
    .flatMap((block) => norms.map((norm) => `${block}${norm}`))
    .concat(final)
    .map((name) => view(`${name}.weight`, [64]))

test.each([
  ['model.layers.', ['input_layernorm', 'post_attention_layernorm'], 'self_attn.q_proj', 'input_layernorm'],
  ['model.layers.', ['input_layernorm', 'post_attention_layernorm'], 'mlp.up_proj', 'post_attention_layernorm'],
  [
    'model.layers.',
    ['input_layernorm', 'post_attention_layernorm'],
    'mlp.experts.3.gate_proj',
    'post_attention_layernorm',
  ],
  [
    'model.layers.',
    ['input_layernorm', 'post_attention_layernorm', 'pre_feedforward_layernorm', 'post_feedforward_layernorm'],
    'mlp.gate_proj',
    'pre_feedforward_layernorm',
  ],
  ['layers.', ['attention_norm', 'ffn_norm'], 'attention.wk', 'attention_norm'],
  ['layers.', ['attention_norm', 'ffn_norm'], 'feed_forward.w3', 'ffn_norm'],
  ['gpt_neox.layers.', ['input_layernorm', 'post_attention_layernorm'], 'attention.query_key_value', 'input_layernorm'],
  [
    'gpt_neox.layers.',
    ['input_layernorm', 'post_attention_layernorm'],
    'mlp.dense_h_to_4h',
    'post_attention_layernorm',
  ],
  ['transformer.h.', ['ln_1', 'ln_2'], 'attn.c_attn', 'ln_1'],
  ['transformer.h.', ['ln_1', 'ln_2'], 'mlp.c_fc', 'ln_2'],
  ['model.decoder.layers.', ['self_attn_layer_norm', 'final_layer_norm'], 'fc1', 'final_layer_norm'],
  // One norm for both parts of a parallel block.
  ['model.layers.', ['input_layernorm'], 'mlp.fc1', 'input_layernorm'],
])('%s with %j: %s reads %s of its own block', (prefix, norms, projection, norm) => {
  const tensors = checkpoint(prefix, norms, 'model.norm')
  const found = normGainOf(tensors, view(`${prefix}11.${projection}.weight`, [32, 64]))
  expect(found?.tensor.name).toBe(`${prefix}11.${norm}.weight`)
})

const LLAMA = checkpoint('model.layers.', ['input_layernorm', 'post_attention_layernorm'], 'model.norm')

test('the last projection reads the final norm', () => {
  expect(normGainOf(LLAMA, view('lm_head.weight', [1000, 64]))?.tensor.name).toBe('model.norm.weight')
})

test.each(['self_attn.o_proj', 'mlp.down_proj', 'linear'])('%s reads no norm', (projection) => {
  expect(normGainOf(LLAMA, view(`model.layers.1.${projection}.weight`, [64, 64]))).toBeNull()
})

test('a gain of another width, and one of a block that is not there, do not fit', () => {
  expect(normGainOf(LLAMA, view('model.layers.1.self_attn.q_proj.weight', [64, 32]))).toBeNull()
  expect(normGainOf(LLAMA, view('model.layers.2.self_attn.q_proj.weight', [64, 64]))).toBeNull()
})

test('only blocks with the norms of Gemma 2 multiply by one plus the gain', () => {
  const gemma = checkpoint('model.layers.', ['input_layernorm', 'post_feedforward_layernorm'], 'model.norm')
  const query = view('model.layers.1.self_attn.q_proj.weight', [32, 64])
  expect(normGainOf(gemma, query)?.plusOne).toBe(true)
  expect(normGainOf(LLAMA, query)?.plusOne).toBe(false)
  expect(storesGainMinusOne(LLAMA, 'model.layers.1.input_layernorm.weight')).toBe(false)
})
