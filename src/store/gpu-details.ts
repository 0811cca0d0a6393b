/** What a dialog says of adapter, device and versions, and what is copied from it. */
import { VERSION_TEXT } from '../core/version'
import { kernelText } from '../gpu/kernel-choices'
import type { AppState } from './state'
import { byteText } from './tensor-rows'

const LIMIT_LABELS: Readonly<Record<string, string>> = {
  maxBufferSize: 'Largest buffer',
  maxStorageBufferBindingSize: 'Largest binding',
  maxStorageBuffersPerShaderStage: 'Storage buffers',
  maxComputeWorkgroupStorageSize: 'Workgroup memory',
  maxComputeInvocationsPerWorkgroup: 'Threads per group',
  maxComputeWorkgroupsPerDimension: 'Groups per dimension',
}

const IN_BYTES = /Size$/

/** Names and values, in the order they are shown. */
export function gpuDetails({ device }: AppState, browser: string): readonly (readonly [name: string, value: string])[] {
  const versions = [
    ['MXScope', VERSION_TEXT],
    ['Browser', browser],
  ] as const
  const { adapter } = device
  if (!adapter) return [['Adapter', device.error?.message ?? 'Not open yet.'], ...versions]
  const limits = Object.entries(adapter.limits).map(
    ([name, value]) =>
      [LIMIT_LABELS[name] ?? name, IN_BYTES.test(name) ? byteText(value) : value.toLocaleString('en-US')] as const,
  )
  return [
    ['Adapter', adapter.description],
    ['Vendor', adapter.vendor],
    ['Architecture', adapter.architecture],
    ['Kind', adapter.isSoftware ? 'software: computes on the CPU' : 'hardware'],
    ...limits,
    ['Features', adapter.features.length > 0 ? adapter.features.join(', ') : 'none'],
    ['Kernels', kernelText(adapter.kernels)],
    ...versions,
  ]
}
