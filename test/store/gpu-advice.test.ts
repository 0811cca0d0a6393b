import { describe, expect, it } from 'vitest'
import { gpuAdvice } from '../../src/store/gpu-advice'

const AGENTS = {
  'Chrome on Linux':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  'Edge on Windows':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0',
  'Firefox on Linux': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0',
  'Firefox on macOS': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0',
  'Safari on macOS':
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
  'Chrome on Android':
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
  'Safari on iOS':
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
}

describe('gpuAdvice', () => {
  it.each(Object.entries(AGENTS))('recognises %s', (seen, agent) => {
    expect(gpuAdvice(agent).seen).toBe(seen)
    expect(gpuAdvice(agent).steps.length).toBeGreaterThan(0)
  })

  it('gives the exact flags on Linux', () => {
    expect(gpuAdvice(AGENTS['Chrome on Linux']).steps[0]).toContain('--enable-unsafe-webgpu --enable-features=Vulkan')
    expect(gpuAdvice(AGENTS['Firefox on Linux']).steps.join(' ')).toContain('Use Chrome')
  })

  it('has an answer for a browser it does not know', () => {
    expect(gpuAdvice('curl/8').seen).toBe('this browser on this system')
    expect(gpuAdvice('curl/8').steps.join(' ')).toContain('WebGPU needs')
  })
})
