/** The `pin` key of a link: the block that is open, as `w,12,44` or `x,12,44` (operand, row, block). */
import type { Operand } from '../experiment/tensor-blocks'
import { optionalWhole } from './link-text'

export interface BlockPin {
  readonly operand: Operand
  readonly row: number
  readonly block: number
}

/** Left out of links. */
export const DEFAULT_PIN: BlockPin = { operand: 'weight', row: 0, block: 0 }

const LETTERS = { weight: 'w', activations: 'x' } as const

export function formatPin({ operand, row, block }: BlockPin): string {
  return `${LETTERS[operand]},${row},${block}`
}

/** null for anything that is no pin. What lies beyond the operand is for the page to keep within it. */
export function parsePin(text: string): BlockPin | null {
  const [letter, ...numbers] = text.split(',')
  const operand = letter === LETTERS.weight ? 'weight' : letter === LETTERS.activations ? 'activations' : null
  const [row, block] = numbers.map((number) => optionalWhole(number, Number.MAX_SAFE_INTEGER))
  if (operand === null || numbers.length !== 2 || row === null || block === null) return null
  return { operand, row, block }
}
