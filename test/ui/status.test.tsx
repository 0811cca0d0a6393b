import { act, cleanup, configure, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import type { OfflineSlice } from '../../src/store/offline'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: () => null }))

configure({ testIdAttribute: 'data-test' })

let report: (change: Partial<OfflineSlice>) => void
let calls: string[]
let opened: File[]

async function open() {
  calls = []
  const store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    offline: {
      watch: (callback) => {
        report = callback
      },
      startUpdate: () => calls.push('update'),
      forget: async () => void calls.push('forget'),
    },
    now: () => 0,
    debounceMs: 0,
  })
  opened = []
  store.actions.openFiles = async (files) => void opened.push(...files)
  render(<App store={store} />)
  await act(() => Promise.all([store.actions.openDevice(), store.actions.applyLink('')]))
}

beforeEach(() => vi.stubGlobal('isSecureContext', true))
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

it('marks that there is no network, and offers a newer version without taking it', async () => {
  await open()
  expect(screen.queryByTestId('offline')).toBeNull()
  act(() => report({ online: false, updateWaits: true }))
  expect(screen.getByTestId('offline').textContent).toBe('offline')
  expect(calls).toEqual([])
  fireEvent.click(screen.getByTestId('update'))
  expect(calls).toEqual(['update'])
})

it('opens what the promise means and forgets everything from there', async () => {
  await open()
  fireEvent.click(screen.getByTestId('privacy-button'))
  const dialog = await screen.findByTestId('privacy')
  expect(dialog.textContent).toContain('What leaves this machine: nothing.')
  expect(dialog.textContent).toContain('0 requests since load')
  await act(async () => fireEvent.click(screen.getByTestId('forget-everything')))
  expect(calls).toEqual(['forget'])
  expect(dialog.textContent).toContain('Cleared.')
})

it('opens what is known of adapter, limits and versions', async () => {
  await open()
  fireEvent.click(screen.getByTestId('gpu-details'))
  const dialog = await screen.findByTestId('gpu')
  for (const text of ['Test adapter', 'shader-f16', '2.1 GB', navigator.userAgent])
    expect(dialog.textContent).toContain(text)
})

it('comes back to the details when the benchmark is closed', async () => {
  await open()
  fireEvent.click(screen.getByTestId('phone-gpu'))
  fireEvent.click(await screen.findByTestId('bench-open'))
  fireEvent(await screen.findByTestId('bench'), new Event('close'))
  expect(screen.queryByTestId('bench')).toBeNull()
  fireEvent(screen.getByTestId('gpu'), new Event('close'))
  expect(screen.queryByTestId('gpu')).toBeNull()
})

it('takes files dropped anywhere on the window, and shows that it would', async () => {
  await open()
  const transfer = { types: ['Files'], items: [], files: [new File(['x'], 'mine.npy')], dropEffect: 'none' }
  const send = (type: string) => {
    const event = new Event(type, { bubbles: true, cancelable: true })
    Object.assign(event, { dataTransfer: transfer, relatedTarget: null })
    act(() => void document.body.dispatchEvent(event))
    return event
  }
  expect(send('dragover').defaultPrevented).toBe(true)
  expect(document.body.textContent).toContain('Drop files or a folder')
  send('dragleave')
  expect(document.body.textContent).not.toContain('Drop files or a folder')
  expect(send('drop').defaultPrevented).toBe(true)
  await act(() => Promise.resolve())
  expect(opened.map(({ name }) => name)).toEqual(['mine.npy'])
})
