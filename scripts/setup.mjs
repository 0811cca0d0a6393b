// Prepares a clean clone. Uses Node built-ins only, because it runs before anything is installed.
// Says something only when it installs something, and on standard error: commands run through npm keep their output clean.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { findChromium } from './chromium.mjs'

const MINIMUM_NODE = [20, 19]
const APT_PACKAGES = ['chromium', 'libvulkan1']
const VULKAN_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

function fail(message) {
  console.error(message)
  process.exit(1)
}

function run(command, args) {
  const result = spawnSync(command, args, {
    stdio: ['inherit', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (result.status !== 0) process.exit(result.status ?? 1)
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [needMajor, needMinor] = MINIMUM_NODE
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    fail(`Node ${process.versions.node}: expected ${MINIMUM_NODE.join('.')} or newer.`)
  }
}

/** Installs what the lock file says, once: a stamp in node_modules names the lock file and Node version it is for. */
function installPackages() {
  const stamp = 'node_modules/.setup'
  const wanted = createHash('sha256')
    .update(readFileSync('package-lock.json'))
    .update(process.versions.node)
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  run('npm', ['ci', '--no-audit', '--no-fund'])
  writeFileSync(stamp, wanted)
  console.error('setup: packages are installed')
}

function installBrowser() {
  const hasVulkan =
    process.platform !== 'linux' || VULKAN_FOLDERS.some((folder) => existsSync(`${folder}/libvulkan.so.1`))
  if (findChromium() && hasVulkan) return
  const isRoot = process.getuid?.() === 0
  const hasApt = existsSync('/usr/bin/apt-get')
  const hasSudo = !isRoot && spawnSync('sudo', ['-n', 'true']).status === 0
  if (!hasApt || !(isRoot || hasSudo)) {
    fail(
      `The tests need Chromium and the Vulkan loader. Install them:\n` +
        `  sudo apt-get install -y --no-install-recommends ${APT_PACKAGES.join(' ')}\n` +
        `or set CHROMIUM_PATH to an installed Chrome or Chromium.`,
    )
  }
  const apt = (args) => (isRoot ? run('apt-get', args) : run('sudo', ['-n', 'apt-get', ...args]))
  apt(['update', '-qq'])
  apt(['install', '-y', '-qq', '--no-install-recommends', ...APT_PACKAGES])
  console.error('setup: Chromium and the Vulkan loader are installed')
}

requireNode()
installPackages()
if (process.argv.includes('--browser')) installBrowser()
