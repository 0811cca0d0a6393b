import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { Recorder } from '../../gpu/recorder'
import type { Subject } from './interleave'

/** Bytes moved or operations done by one run, for the rate. */
export type Work =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'operations'; readonly operations: number }

/** A kernel call to be timed. */
export interface KernelCase {
  readonly name: string
  readonly work: Work
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
