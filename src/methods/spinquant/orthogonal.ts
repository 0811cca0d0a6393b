/** Orthogonal matrices on the GPU: where learning starts, and how far from orthogonal they are when it ends. */
import { planHadamard } from '../../core/hadamard'
import { randomSigns } from '../../core/random'
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { hadamard } from '../../gpu/kernels/hadamard'
import { magnitudeMax } from '../../gpu/kernels/magnitude-max'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadMatrix } from '../../gpu/transfer'

/** Small enough that rounding to four bits never sees it, large enough for f32 products to reach at n = 5,000. */
const ORTHOGONAL = 1e-5
/** One step turns an error ε into ¾ε², so two reach ORTHOGONAL from anything a Cayley step leaves. */
const MAX_CLEANING_STEPS = 3

function uploadIdentity(gpu: Gpu, arena: Arena, n: number): GpuMatrix {
  const data = new Float32Array(n * n)
  for (let i = 0; i < n; i++) data[i * n + i] = 1
  return uploadMatrix(gpu, arena, { rows: n, cols: n, data }, 'identity')
}

/** Where R starts: the randomized Hadamard matrix of QuaRot with the same seed, or the identity. [n, n]. */
export function startRotation(
  gpu: Gpu,
  arena: Arena,
  { n, start, seed }: { n: number; start: 'hadamard' | 'identity'; seed: number },
): GpuMatrix {
  if (start === 'identity') return uploadIdentity(gpu, arena, n)
  const passing = new Arena(gpu)
  try {
    const plan = { ...planHadamard(n, seed), signs: randomSigns(n, seed) }
    const recorder = new Recorder(gpu)
    const rotation = hadamard(recorder, passing, uploadIdentity(gpu, passing, n), plan)
    const kept = copyMatrix(recorder, arena, rotation)
    recorder.submit()
    return kept
  } finally {
    passing.release()
  }
}

/** max |RᵀR − I|, with products in f32. */
export async function orthogonalityError(gpu: Gpu, rotation: GpuMatrix): Promise<number> {
  const arena = new Arena(gpu)
  try {
    const identity = uploadIdentity(gpu, arena, rotation.cols)
    const recorder = new Recorder(gpu)
    const gram = matmulTn(recorder, arena, rotation, rotation)
    const maximum = magnitudeMax(recorder, arena, addScaled(recorder, arena, gram, identity, -1))
    recorder.submit()
    return (await readFloats(gpu, maximum, 1))[0]
  } finally {
    arena.release()
  }
}

/**
 * `rotation` brought to max |RᵀR − I| ≤ 1e-5 by as many Newton-Schulz steps R ← 3/2 R − 1/2 R (RᵀR) as that takes, none
 * as a rule, and the error that is left. Returns a matrix of `arena`.
 */
export async function cleaned(
  gpu: Gpu,
  arena: Arena,
  rotation: GpuMatrix,
): Promise<{ readonly rotation: GpuMatrix; readonly error: number }> {
  const passing = new Arena(gpu)
  try {
    let current = rotation
    let error = await orthogonalityError(gpu, current)
    for (let step = 0; step < MAX_CLEANING_STEPS && error > ORTHOGONAL; step++) {
      const recorder = new Recorder(gpu)
      const product = matmulNn(recorder, passing, current, matmulTn(recorder, passing, current, current))
      const correction = addScaled(recorder, passing, current, product, -1)
      current = addScaled(recorder, passing, current, correction, 0.5)
      recorder.submit()
      error = await orthogonalityError(gpu, current)
    }
    const recorder = new Recorder(gpu)
    const kept = copyMatrix(recorder, arena, current)
    recorder.submit()
    return { rotation: kept, error }
  } finally {
    passing.release()
  }
}
