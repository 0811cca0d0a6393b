import type { GpuMatrix } from '../gpu-matrix'

/** Columns that belong together: 8, 16, 32, 64, 128, or whole rows. */
export type BlockWidth = number | 'row'

/** How the rows of a matrix fall into blocks; the last of a row may be short. */
export interface BlockLayout {
  /** Per row. */
  readonly blocks: number
  /** Of one block in memory, in vec4; that of a whole row includes its padding. */
  readonly block4: number
}

/** The blocks of `matrix`: of `width` columns, a multiple of four, or one per row. */
export function blockLayout({ cols, stride }: GpuMatrix, width: BlockWidth): BlockLayout {
  if (width === 'row') return { blocks: 1, block4: stride / 4 }
  return { blocks: Math.ceil(cols / width), block4: width / 4 }
}
