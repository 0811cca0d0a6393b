/** Kernels of which there are several that give the same result, and which of them a device uses. */

/** The tile of X Wᵀ: 8 x 8 or 4 x 4 outputs of a thread in registers, or 64 x 64 of a workgroup through its memory. */
export type ProductTile = 'registers-8x8' | 'registers-4x4' | 'workgroup-64x64'

/** Who owns a block of 32 where it is rounded: one thread, or four of a subgroup. */
export type BlockOwner = 'thread' | 'subgroup'

export interface KernelChoices {
  readonly product: ProductTile
  readonly block: BlockOwner
}

/** Right on every adapter, and the fastest known on the software adapter. */
export const PLAIN_CHOICES: KernelChoices = { product: 'registers-8x8', block: 'thread' }
