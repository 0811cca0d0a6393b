/** Kernels of which there are several that give the same result, and which of them a device uses. */

/** The tile of X Wᵀ: 8 x 8 or 4 x 4 outputs of a thread in registers, or 64 x 64 of a workgroup through its memory. */
export const PRODUCT_TILES = ['registers-8x8', 'registers-4x4', 'workgroup-64x64'] as const
export type ProductTile = (typeof PRODUCT_TILES)[number]

/** Who owns a block of 32 where it is rounded: one thread, or four of a subgroup. */
export const BLOCK_OWNERS = ['thread', 'subgroup'] as const
export type BlockOwner = (typeof BLOCK_OWNERS)[number]

/** How MXFP4 codes of many rows are multiplied: decoded to f32 once, or as integers (packed-product.ts). */
export const PACKED_WAYS = ['decode-once', 'integer-dot'] as const
export type PackedWay = (typeof PACKED_WAYS)[number]

export interface KernelChoices {
  readonly product: ProductTile
  readonly block: BlockOwner
  readonly packed: PackedWay
}

/** What a device uses, and whether it was measured to be the fastest on its adapter. */
export interface KernelFacts {
  readonly choices: KernelChoices
  readonly isMeasured: boolean
}

/** Right on every adapter, and the fastest known on the software adapter. */
export const PLAIN_CHOICES: KernelChoices = { product: 'registers-8x8', block: 'thread', packed: 'decode-once' }

const PRODUCT_TEXT: Readonly<Record<ProductTile, string>> = {
  'registers-8x8': '8 x 8 registers',
  'registers-4x4': '4 x 4 registers',
  'workgroup-64x64': '64 x 64 per workgroup',
}
const BLOCK_TEXT: Readonly<Record<BlockOwner, string>> = { thread: 'one thread', subgroup: 'four threads' }
const PACKED_TEXT: Readonly<Record<PackedWay, string>> = { 'decode-once': 'decoded once', 'integer-dot': 'as integers' }

/** The choices in words, and where they come from. */
export function kernelText({ choices, isMeasured }: KernelFacts): string {
  const { product, block, packed } = choices
  const parts = [
    `products by ${PRODUCT_TEXT[product]}`,
    `blocks by ${BLOCK_TEXT[block]}`,
    `codes ${PACKED_TEXT[packed]}`,
  ]
  return `${parts.join(', ')}; ${isMeasured ? 'measured on this GPU' : 'default'}`
}
