/** What to do without WebGPU, per browser and platform. Source: public compatibility data, August 2026. */
export interface GpuAdvice {
  /** The browser and system as recognised, such as "Chrome on Linux". */
  readonly seen: string
  readonly steps: readonly string[]
}

type Browser = 'Chrome' | 'Edge' | 'Firefox' | 'Safari' | 'this browser'
type Platform = 'Windows' | 'macOS' | 'ChromeOS' | 'Linux' | 'Android' | 'iOS' | 'this system'

function browserOf(agent: string): Browser {
  if (/Edg\//.test(agent)) return 'Edge'
  if (/Firefox\/|FxiOS\//.test(agent)) return 'Firefox'
  if (/Chrome\/|Chromium\/|CriOS\//.test(agent)) return 'Chrome'
  return /Safari\//.test(agent) ? 'Safari' : 'this browser'
}

function platformOf(agent: string): Platform {
  if (/iPhone|iPad|iPod/.test(agent)) return 'iOS'
  if (/Android/.test(agent)) return 'Android'
  if (/CrOS/.test(agent)) return 'ChromeOS'
  if (/Windows/.test(agent)) return 'Windows'
  if (/Mac OS X|Macintosh/.test(agent)) return 'macOS'
  return /Linux|X11/.test(agent) ? 'Linux' : 'this system'
}

const LINUX_CHROME = [
  'Start the browser once with --enable-unsafe-webgpu --enable-features=Vulkan.',
  'Or open chrome://flags and enable "Unsafe WebGPU Support" and "Vulkan".',
  'Some drivers also need --enable-features=Vulkan,VulkanFromANGLE,DefaultANGLEVulkan.',
  'chrome://gpu shows what the browser found.',
]
const UPDATE = 'Update the browser: WebGPU needs Chrome or Edge 113, Safari 26 or Firefox 141 and later.'
const ACCELERATION = 'Turn on hardware acceleration in the browser settings, then restart the browser.'

function stepsFor(browser: Browser, platform: Platform): readonly string[] {
  if (platform === 'iOS') return ['Update the system: WebGPU needs iOS or iPadOS 26.']
  if (browser === 'Safari') return ['Update macOS: WebGPU needs Safari 26.']
  if (browser === 'Firefox') {
    if (platform === 'Windows') return ['Update Firefox: WebGPU needs version 141.', ACCELERATION]
    if (platform === 'macOS') return ['On Apple silicon, update Firefox to 147. On Intel, use Chrome or Safari.']
    return ['Firefox has no WebGPU here. Use Chrome:', ...(platform === 'Linux' ? LINUX_CHROME : [])]
  }
  if (platform === 'Linux') return LINUX_CHROME
  if (platform === 'Android') return ['Update Chrome to 121 or later on Android 12 or later.']
  return [UPDATE, ACCELERATION]
}

/** The steps for the browser that calls itself `userAgent`. */
export function gpuAdvice(userAgent: string): GpuAdvice {
  const browser = browserOf(userAgent)
  const platform = platformOf(userAgent)
  return { seen: `${browser} on ${platform}`, steps: stepsFor(browser, platform) }
}

/** The same comparison without a browser, for the machine at hand. */
export const HEADLESS_COMMAND =
  'npm run -s mxscope -- compare FILE --weight NAME --activations NAME --setting W4A4 --methods rtn,quarot,flatquant'
