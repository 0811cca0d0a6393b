import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { Recorder } from '../../gpu/recorder'
import type { Subject } from './interleave'

/** Bytes moved or operations done by one run, for the rate. */
export type Work =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'operations'; readonly operations: number }

/**
 * What the others of a group are compared with: the copy of the same tensor, the naive product, or the f32 product, whose
 * rate prices operations. A group has at most one of each.
 */
export type Baseline = 'copy' | 'naive' | 'product'

/** A kernel call to be timed. */
export interface KernelCase {
  readonly name: string
  readonly work: Work
  readonly baseline?: Baseline
  /** Records one run; the returned function reads the result back after the submit and says what is wrong, or null. */
  record(recorder: Recorder, arena: Arena): () => Promise<string | null>
}

/** Runs a kernel case: all repetitions in one submit, each writing the same pooled outputs. */
export function kernelSubject(gpu: Gpu, { name, record }: KernelCase): Subject {
  const arena = new Arena(gpu)
  return {
    name,
    async run(repetitions) {
      const recorder = new Recorder(gpu)
      for (let i = 0; i < repetitions; i++) {
        try {
          record(recorder, arena)
        } finally {
          arena.release()
        }
      }
      recorder.submit()
      await gpu.device.queue.onSubmittedWorkDone()
    },
    async verify() {
      const recorder = new Recorder(gpu)
      try {
        const check = record(recorder, arena)
        recorder.submit()
        return await check()
      } finally {
        arena.release()
      }
    },
  }
}
