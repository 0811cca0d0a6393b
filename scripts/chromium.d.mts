export function findChromium(): string | undefined
export function chromiumLaunch(options?: { webgpu?: boolean }): { executablePath: string; args: string[] }
