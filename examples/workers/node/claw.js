// A worker for ClawActors in Node.js, without dependencies: serve({name: {run(task, params) {…}, …}}).
// The protocol is described in docs/workers.md. Standard output belongs to it: console.log goes to the task's log.
'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const util = require('node:util')

const PROTOCOL = 1
const output = process.stdout
const write = output.write.bind(output)
const current = new AsyncLocalStorage() // the task whose code runs, and whether it is inside a step

class TaskError extends Error {
  /** An error with a class (`network`, `validation`, …), and whether it is worth another try. */
  constructor (message, { type = 'TaskError', class: kind, retryable, data, cause } = {}) {
    super(message, { cause })
    this.name = type
    this.class = kind
    this.retryable = retryable
    this.data = data
  }
}

class CancelledError extends TaskError {
  constructor (message = 'the task was cancelled') {
    super(message, { type: 'CancelledError', class: 'cancelled', retryable: false })
  }
}

const tasks = new Map()
let skills = {}
let draining = false

function send (message) {
  let line
  try {
    line = JSON.stringify(message)
  } catch (error) {
    throw new TaskError(`this is no JSON: ${error.message}`, { class: 'validation' })
  }
  // Begins a line of its own, whatever a native library has left on the present one.
  return new Promise((resolve) => { if (write(`\n${line}\n`)) resolve(); else output.once('drain', resolve) })
}

function told (error) {
  if (!(error instanceof Error)) return { message: String(error), type: 'Error' }
  const status = error.status ?? error.statusCode
  return {
    message: String(error.message).slice(0, 2000),
    type: error.name + (error.code && !String(error.message).includes(error.code) ? ` ${error.code}` : ''),
    class: error.class ?? (error instanceof TypeError || error instanceof RangeError ? undefined : classOf(error)),
    retryable: error.retryable,
    traceback: String(error.stack ?? '').slice(0, 16000),
    status: Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined,
    data: error.data
  }
}

function classOf (error) {
  const code = error.code ?? error.cause?.code
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'].includes(code)) return 'network'
  if (code === 'ETIMEDOUT' || error.name === 'TimeoutError') return 'timeout'
  if (code === 'EACCES' || code === 'EPERM') return 'permission'
  if (error.name === 'SyntaxError' || error.name === 'ReferenceError') return 'validation'
  return undefined
}

function raised (error) {
  if (error.class === 'cancelled') return new CancelledError(error.message)
  return new TaskError(error.message ?? error.type, error)
}

/** What the code of a skill holds: the calls of Python's `Task`, each returning a promise. */
class Task {
  constructor (run) {
    this.id = run.task
    this.attempt = run.attempt_number ?? 1
    this.key = run.attempt
    this.branchName = ''
    this.root = this
    this.open = new Map() // by id of the call: its promise, and the function of a step
    this.next = 1
    this.answers = new Map()
    this.aborting = new AbortController()
    this.signals = this.aborting.signal // aborted by a cancel: pass it to fetch and the like
  }

  get cancelled () { return this.root.signals.aborted }

  call (method, args = [], options = {}, more = {}) {
    const root = this.root
    const id = root.next++
    const message = { op: 'call', attempt: root.key, id, method, args: clean(args), options: clean(options) }
    if (this.branchName) message.branch = this.branchName
    return new Promise((resolve, reject) => {
      root.open.set(id, { resolve, reject, ...more })
      try {
        send(message)
      } catch (error) {
        root.open.delete(id)
        reject(error)
      }
    })
  }

  /** Runs the function once in the life of the task: `task.step(charge, 10)`, `task.step('charge', () => …)`. */
  step (name, ...rest) {
    let [work, ...args] = typeof name === 'function' ? [name, ...rest] : rest
    if (typeof name === 'function') name = work.name || 'step'
    let options = {}
    if (typeof work === 'object' && work !== null) { options = work; [work, ...args] = args }
    if (typeof work !== 'function') return Promise.reject(new TaskError('a step takes a function', { class: 'validation' }))
    return this.call('step', [name, ...args], options, { work, args, task: this })
  }

  /** The same task for code that runs beside other code: its steps and waits are numbered by themselves. */
  branch (name) {
    const branch = Object.create(this.root)
    branch.branchName = name
    return branch
  }

  sleep (duration) { return this.call('sleep', [duration]) }
  signal (name, timeout) { return this.call('signal', timeout === undefined ? [name] : [name, timeout]) }
  approve (question, options) { return this.call('approve', [question], options) }
  run (skill, params, options) { return this.call('run', [skill, params ?? {}], options) }
  submit (skill, params, options) { return this.call('submit', [skill, params ?? {}], options) }
  childResult (id) { return this.call('child_result', [id]) }
  cancelChild (id) { return this.call('cancel_child', [id]) }
  async gather (ids, options) {
    const outcomes = await this.call('gather', [ids], options)
    return outcomes.map((each) => each === null ? null : each.error ? raised(each.error) : each.value)
  }

  emit (chunk, stream) { return this.call('emit', stream === undefined ? [chunk] : [chunk, stream]) }
  results () { return this.call('results') }
  plan (steps) { return this.call('plan', [steps]) }
  patched (id) { return this.call('patched', [id]) }
  secret (name) { return this.call('secret', [name]) }
  remember (text, options) { return this.call('remember', [text], options) }
  recall (text, options) { return this.call('recall', [text], options) }
  context (text, options) { return this.call('context', [text], options) }
  askMemory (name, question) { return this.call('ask_memory', [name], question) }
  continueAs (params) { return this.call('continue_as', [params]) }
  store (bytes) { return this.call('store', [Buffer.from(bytes).toString('base64')]) }
  /** `{name, bytes, sha256, path, reference}`: the file lies at `path` until the attempt ends. */
  file (name) { return this.call('file', [name]) }
  saveFile (name, path) {
    const within = current.getStore()?.within === this.root
    return this.call('save_file', [name, require('node:path').resolve(path)], within ? { within_step: true } : {})
  }

  /** From now on the function answers `claw ask ID NAME`. */
  answer (name, work) {
    this.root.answers.set(name, work)
    return this.call('answer', [name])
  }

  progress (done, total = 1) { send({ op: 'progress', attempt: this.root.key, done, total }) }
  heartbeat () { send({ op: 'heartbeat', attempt: this.root.key }) }
  log (...words) { this.note('info', util.format(...words)) }
  note (level, text) { send({ op: 'log', attempt: this.root.key, text, level, logger: 'worker' }) }
}

function clean (value) { return value === undefined ? null : value }

async function run (message) {
  const task = new Task(message)
  tasks.set(task.key, task)
  const skill = skills[message.skill]
  await current.run({ task }, async () => {
    try {
      if (!skill) throw new TaskError(`this worker has no skill ${message.skill}`, { class: 'validation' })
      const value = await skill.run(task, message.params ?? {})
      if (tasks.get(task.key) === task) await send({ op: 'result', attempt: task.key, value: clean(value) })
    } catch (error) {
      if (tasks.get(task.key) === task) await send({ op: 'error', attempt: task.key, error: told(error) })
    } finally {
      tasks.delete(task.key)
    }
  })
}

async function doStep (task, message) {
  const call = task.open.get(message.id)
  if (!call) return
  await current.run({ task, within: task }, async () => {
    try {
      const value = await call.work(...call.args)
      if (tasks.get(task.key) === task) await send({ op: 'done', attempt: task.key, id: message.id, value: clean(value) })
    } catch (error) {
      call.error = error
      if (tasks.get(task.key) === task) await send({ op: 'failed', attempt: task.key, id: message.id, error: told(error) })
    }
  })
}

async function answer (task, message) {
  const reply = { op: 'answer', attempt: task.key, id: message.id }
  try {
    reply.value = clean(await task.answers.get(message.name)(...(message.args ?? [])))
  } catch (error) {
    reply.error = told(error)
  }
  await send(reply)
}

function settle (task, message) {
  const call = task.open.get(message.id)
  if (!call) return
  task.open.delete(message.id)
  if (!message.error) return call.resolve(clean(message.value))
  // The code gets the error that its own function has thrown, unless something else ended the step.
  call.reject(call.error && message.error.class !== 'cancelled' ? call.error : raised(message.error))
}

function receive (message) {
  const task = tasks.get(message.attempt)
  switch (message.op) {
    case 'hello': return hello(message)
    case 'run': return run(message)
    case 'ping': return send({ op: 'pong', id: message.id })
    case 'drain': draining = true; return
    case 'refused': return console.error(`the node refused line ${message.line}: ${message.message}`)
  }
  if (!task) return
  switch (message.op) {
    case 'reply': return settle(task, message)
    case 'do': return doStep(task, message)
    case 'ask': return answer(task, message)
    case 'cancel': return task.aborting.abort(new CancelledError())
    case 'drop': tasks.delete(task.key) // what waits never goes on here: it is neither resolved nor rejected
  }
}

function hello (message) {
  if (!message.protocols.includes(PROTOCOL)) {
    console.error(`the node speaks protocols ${message.protocols}, this worker ${PROTOCOL}`)
    process.exit(78)
  }
  const declared = Object.entries(skills).map(([name, { run, ...rest }]) => ({ name, ...rest }))
  return send({ op: 'hello', protocol: PROTOCOL, language: `node ${process.version}`, skills: declared })
}

/** Offers the skills until the node ends this process: `{name: {run, description, parameters, timeout_s, …}}`. */
function serve (offered) {
  skills = offered
  const say = (level) => (...words) => {
    const task = current.getStore()?.task
    if (task) task.note(level, util.format(...words)); else process.stderr.write(util.format(...words) + '\n')
  }
  Object.assign(console, { log: say('info'), info: say('info'), debug: say('debug'), warn: say('warning') })
  // What libraries write to standard output would be read as messages.
  output.write = (...args) => process.stderr.write(...args)
  process.on('uncaughtException', (error) => { process.stderr.write(`${error.stack}\n`); process.exit(1) })
  process.on('SIGTERM', () => process.exit(0))
  process.on('SIGINT', () => {}) // Ctrl-C is for the node, which tells
  let rest = []
  process.stdin.on('data', (chunk) => {
    let start = 0
    for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
      rest.push(chunk.subarray(start, end))
      const line = Buffer.concat(rest).toString()
      rest = []
      if (line.trim()) receive(JSON.parse(line))
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  })
  process.stdin.on('end', () => process.exit(0))
}

module.exports = { serve, TaskError, CancelledError, isDraining: () => draining }
