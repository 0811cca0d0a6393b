import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gpu } from '../../src/gpu/device'
import type { Kernel } from '../../src/gpu/pipeline-cache'
import { checkingGpu } from '../support/gpu'

const texts: Record<string, string> = import.meta.glob('../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const libraries: Record<string, string> = import.meta.glob('../../shaders/lib/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const modules: Record<string, Record<string, unknown>> = import.meta.glob('../../src/gpu/kernels/*.ts', { eager: true })

function isKernel(value: unknown): value is Kernel {
  return typeof value === 'object' && value !== null && 'name' in value && 'code' in value && 'bindings' in value
}

const kernels = Object.values(modules).flatMap((module) => Object.values(module).flat().filter(isKernel))
const shaders = Object.entries(texts).map(([path, text]) => {
  return { name: path.replace(/^.*\/(.*)\.wgsl$/, '$1'), text }
})

test('every shader file belongs to a kernel, and every kernel to a shader file', () => {
  expect([...new Set(kernels.map(({ name }) => name))].sort()).toEqual(shaders.map(({ name }) => name).sort())
})

test('every library is used', () => {
  const unused = Object.entries(libraries).filter(([, text]) => !kernels.some(({ code }) => code.includes(text)))
  expect(unused.map(([path]) => path)).toEqual([])
})

let gpu: Gpu
const problems: string[] = []
beforeAll(async () => {
  gpu = await checkingGpu()
  gpu.device.addEventListener('uncapturederror', ({ error }) => problems.push(error.message))
})
afterAll(async () => {
  await gpu.device.queue.onSubmittedWorkDone()
  expect(problems).toEqual([])
})

test.each(shaders)('$name compiles without a message, and declares what its kernel binds', async ({ name, text }) => {
  for (const kernel of kernels.filter((candidate) => candidate.name === name)) {
    expect(kernel.code.startsWith(text)).toBe(true)
    const module = gpu.device.createShaderModule({ label: name, code: kernel.code })
    const { messages } = await module.getCompilationInfo()
    expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([])
    const entries = [...kernel.code.matchAll(/@compute[^{]*?fn\s+(\w+)/g)].map(([, entry]) => entry)
    expect(entries).toEqual([name])
    const storage = [...text.matchAll(/@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>/g)]
    expect(storage.map(([, binding]) => Number(binding))).toEqual(kernel.bindings.map((_, index) => index + 1))
    expect(storage.map(([, , access]) => (access === 'read' ? 'read' : 'write'))).toEqual(kernel.bindings)
    expect(text).toMatch(/@binding\(0\)\s*var<uniform>\s*params/)
  }
})

test.each(shaders)('$name opens with a comment and has a pipeline as it stands', async ({ name, text }) => {
  expect(text.startsWith('//')).toBe(true)
  for (const kernel of kernels.filter((candidate) => candidate.name === name)) await gpu.pipelines.warm(kernel)
})
