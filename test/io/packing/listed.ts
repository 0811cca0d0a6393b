import { DTYPE_BITS, type Dtype, type TensorView } from '../../../src/io/tensor-view'

/** A tensor of a list. */
export type Listed = readonly [name: string, dtype: Dtype, shape: readonly number[]]

/** Views of tensors that lie one after the other from byte 0. */
export function views(listed: readonly Listed[]): TensorView[] {
  let byteOffset = 0
  return listed.map(([name, dtype, shape]) => {
    const byteLength = Math.ceil((shape.reduce((product, axis) => product * axis, 1) * DTYPE_BITS[dtype]) / 8)
    byteOffset += byteLength
    return { name, dtype, shape, byteOffset: byteOffset - byteLength, byteLength }
  })
}
