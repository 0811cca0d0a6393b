import { readFileSync } from 'node:fs'
import { type GoldenTensor, parseSafetensors } from './safetensors-bytes'

/** The tensors of a safetensors file under test/golden, by name. */
export function readGolden(path: string): Map<string, GoldenTensor> {
  return parseSafetensors(readFileSync(new URL(`../golden/${path}`, import.meta.url)))
}
